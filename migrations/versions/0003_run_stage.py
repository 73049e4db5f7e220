"""run stage: what a run wrote and printed; what ended in error is found at once

Safe to run while the previous release still serves: add columns as nullable or with a server
default, never rename or drop what the previous release reads.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("output_key", sa.Text(), server_default="", nullable=False))
        batch_op.create_index(
            "ix_submissions_error",
            ["competition_id", "received_at"],
            unique=False,
            sqlite_where=sa.text("state = 'error'"),
            postgresql_where=sa.text("state = 'error'"),
        )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("output_key", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("log", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_column("log")
        batch_op.drop_column("output_key")
    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_submissions_error",
            sqlite_where=sa.text("state = 'error'"),
            postgresql_where=sa.text("state = 'error'"),
        )
        batch_op.drop_column("output_key")
