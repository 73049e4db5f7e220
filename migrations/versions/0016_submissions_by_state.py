"""submissions counted by state without reading each

Safe to run while the previous release still serves: add columns as nullable or with a server
default, never rename or drop what the previous release reads.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    ended = sa.text("state NOT IN ('uploading', 'queued', 'running', 'scoring')")
    op.create_index(
        "ix_submissions_ended",
        "submissions",
        ["state"],
        sqlite_where=ended,
        postgresql_where=ended,
    )


def downgrade() -> None:
    op.drop_index("ix_submissions_ended", "submissions")
