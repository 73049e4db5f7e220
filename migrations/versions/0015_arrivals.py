"""files that arrive in pieces

Safe to run while the previous release still serves: add columns as nullable or with a server
default, never rename or drop what the previous release reads.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "arrivals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("competition_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_arrivals_competition_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_arrivals_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
    )
    with op.batch_alter_table("arrivals", schema=None) as batch_op:
        batch_op.create_index("ix_arrivals_user_id_moved_at", ["user_id", "moved_at"])
        batch_op.create_index(batch_op.f("ix_arrivals_competition_id"), ["competition_id"])
        batch_op.create_index(batch_op.f("ix_arrivals_expires_at"), ["expires_at"])
    op.create_table(
        "pieces",
        sa.Column("arrival_id", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("file_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["arrival_id"],
            ["arrivals.id"],
            name=op.f("fk_pieces_arrival_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("arrival_id", "start", name=op.f("pk_pieces")),
    )


def downgrade() -> None:
    op.drop_table("pieces")
    op.drop_table("arrivals")
