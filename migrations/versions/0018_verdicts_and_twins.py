"""submissions counted by verdict, and files compared between teams, without reading each

Safe to run while the previous release still serves: add columns as nullable or with a server
default, never rename or drop what the previous release reads.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    judged = sa.text("original_id IS NULL AND user_id IS NOT NULL AND verdict IS NOT NULL")
    compared = sa.text("original_id IS NULL AND sha256 IS NOT NULL")
    for name, columns, where in (
        ("ix_submissions_verdict", ["competition_id", "verdict"], judged),
        ("ix_submissions_twins", ["competition_id", "sha256", "team_id"], compared),
    ):
        op.create_index(name, "submissions", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_submissions_twins", "submissions")
    op.drop_index("ix_submissions_verdict", "submissions")
