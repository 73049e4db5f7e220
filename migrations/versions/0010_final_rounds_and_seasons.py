"""final rounds of games; seasons with the results of people

Safe to run while the previous release still serves: add columns as nullable or with a server
default, never rename or drop what the previous release reads.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("final_games", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("final_began_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("final_ended_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("season", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "finalists",
        sa.Column("competition_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_finalists_competition_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name=op.f("fk_finalists_submission_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("competition_id", "submission_id", name=op.f("pk_finalists")),
        sa.UniqueConstraint(
            "competition_id", "place", name=op.f("uq_finalists_competition_id_place")
        ),
    )
    op.create_table(
        "results",
        sa.Column("competition_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("season", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("teams", sa.Integer(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("medal", sa.Text(), nullable=False),
        sa.Column("points", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_results_competition_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_results_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_results_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("competition_id", "user_id", name=op.f("pk_results")),
    )
    with op.batch_alter_table("results", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_results_user_id"), ["user_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_results_season"), ["season"], unique=False)


def downgrade() -> None:
    op.drop_table("results")
    op.drop_table("finalists")
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.drop_column("season")
        batch_op.drop_column("final_ended_at")
        batch_op.drop_column("final_began_at")
        batch_op.drop_column("final_games")
