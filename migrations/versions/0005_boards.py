"""boards: their rules, how sure their order is, teams of several, rescoring

Safe to run while the previous release still serves: add columns as nullable or with a server
default, never rename or drop what the previous release reads.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("invited_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invited_by"],
            ["users.id"],
            name=op.f("fk_invitations_invited_by"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_invitations_team_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_invitations_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitations_digest")),
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitations_team_id"), ["team_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invitations_user_id"), ["user_id"], unique=False)

    op.create_table(
        "merge_requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["users.id"], name=op.f("fk_merge_requests_asked_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["teams.id"], name=op.f("fk_merge_requests_other_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_merge_requests_team_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_requests")),
        sa.UniqueConstraint("team_id", "other_id", name=op.f("uq_merge_requests_team_id_other_id")),
    )
    with op.batch_alter_table("merge_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_merge_requests_other_id"), ["other_id"], unique=False)

    op.create_table(
        "rescorings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("competition_id", sa.Integer(), nullable=False),
        sa.Column("challenge_id", sa.Integer(), nullable=False),
        sa.Column("before_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("runs_again", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("raise_only", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["users.id"], name=op.f("fk_rescorings_asked_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["before_id"], ["challenges.id"], name=op.f("fk_rescorings_before_id")
        ),
        sa.ForeignKeyConstraint(
            ["challenge_id"], ["challenges.id"], name=op.f("fk_rescorings_challenge_id")
        ),
        sa.ForeignKeyConstraint(
            ["competition_id"],
            ["competitions.id"],
            name=op.f("fk_rescorings_competition_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["users.id"], name=op.f("fk_rescorings_decided_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_rescorings_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rescorings")),
    )
    with op.batch_alter_table("rescorings", schema=None) as batch_op:
        batch_op.create_index("ix_rescorings_competition_id", ["competition_id"], unique=False)
        batch_op.create_index(
            "ix_rescorings_undecided",
            ["competition_id"],
            unique=True,
            sqlite_where=sa.text("state = 'trial'"),
            postgresql_where=sa.text("state = 'trial'"),
        )

    with op.batch_alter_table("board_entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("others", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("rank_before", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("rank_low", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("rank_high", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("tie_group", sa.Integer(), nullable=True))

    with op.batch_alter_table("challenges", schema=None) as batch_op:
        batch_op.add_column(sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("excluded", sa.JSON(), server_default="[]", nullable=False))
        batch_op.drop_constraint(batch_op.f("uq_challenges_slug_version_edition"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_challenges_slug_version_edition_revision"),
            ["slug", "version", "edition", "revision"],
        )

    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("team_size", sa.Integer(), server_default="5", nullable=False)
        )
        batch_op.add_column(sa.Column("merges_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("names", sa.Text(), server_default="named", nullable=False))
        batch_op.add_column(
            sa.Column("order_by", sa.Text(), server_default="first", nullable=False)
        )
        batch_op.add_column(
            sa.Column("anti_overfit", sa.Text(), server_default="none", nullable=False)
        )
        batch_op.add_column(sa.Column("freezes_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("window_days", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("holds_reveal", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("day_noted", sa.Date(), nullable=True))
        batch_op.add_column(
            sa.Column("intervals_revision", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("intervals_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("in_force", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        batch_op.add_column(sa.Column("repeats", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("losses_key", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("rescoring_id", sa.Integer(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_evaluations_rescoring_id"), ["rescoring_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_evaluations_rescoring_id"),
            "rescorings",
            ["rescoring_id"],
            ["id"],
            ondelete="SET NULL",
        )

    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("disqualified", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("source", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("rescoring_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("original_id", sa.Integer(), nullable=True))
        batch_op.create_index(
            "ix_submissions_rescoring",
            ["rescoring_id", "state"],
            unique=False,
            sqlite_where=sa.text("rescoring_id IS NOT NULL"),
            postgresql_where=sa.text("rescoring_id IS NOT NULL"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_submissions_rescoring_id"),
            "rescorings",
            ["rescoring_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_submissions_original_id"), "submissions", ["original_id"], ["id"]
        )

    with op.batch_alter_table("teams", schema=None) as batch_op:
        batch_op.add_column(sa.Column("leader_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("disqualified", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_teams_merged_into_id"),
            "teams",
            ["merged_into_id"],
            ["id"],
            ondelete="SET NULL",
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_teams_leader_id"), "users", ["leader_id"], ["id"], ondelete="SET NULL"
        )

    # Until now every team was of one person, who leads it.
    op.execute(
        "UPDATE teams SET leader_id = (SELECT MIN(user_id) FROM memberships "
        "WHERE memberships.team_id = teams.id)"
    )


def downgrade() -> None:
    with op.batch_alter_table("teams", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_teams_leader_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_teams_merged_into_id"), type_="foreignkey")
        batch_op.drop_column("merged_into_id")
        batch_op.drop_column("disqualified")
        batch_op.drop_column("leader_id")

    with op.batch_alter_table("submissions", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_submissions_original_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_submissions_rescoring_id"), type_="foreignkey")
        batch_op.drop_index(
            "ix_submissions_rescoring",
            sqlite_where=sa.text("rescoring_id IS NOT NULL"),
            postgresql_where=sa.text("rescoring_id IS NOT NULL"),
        )
        batch_op.drop_column("original_id")
        batch_op.drop_column("rescoring_id")
        batch_op.drop_column("source")
        batch_op.drop_column("disqualified")

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_evaluations_rescoring_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_evaluations_rescoring_id"))
        batch_op.drop_column("rescoring_id")
        batch_op.drop_column("losses_key")
        batch_op.drop_column("repeats")
        batch_op.drop_column("in_force")

    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.drop_column("intervals_at")
        batch_op.drop_column("intervals_revision")
        batch_op.drop_column("day_noted")
        batch_op.drop_column("revealed_at")
        batch_op.drop_column("holds_reveal")
        batch_op.drop_column("window_days")
        batch_op.drop_column("freezes_at")
        batch_op.drop_column("anti_overfit")
        batch_op.drop_column("order_by")
        batch_op.drop_column("names")
        batch_op.drop_column("merges_until")
        batch_op.drop_column("team_size")

    with op.batch_alter_table("challenges", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("uq_challenges_slug_version_edition_revision"), type_="unique"
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_challenges_slug_version_edition"), ["slug", "version", "edition"]
        )
        batch_op.drop_column("excluded")
        batch_op.drop_column("revision")

    with op.batch_alter_table("board_entries", schema=None) as batch_op:
        batch_op.drop_column("tie_group")
        batch_op.drop_column("rank_high")
        batch_op.drop_column("rank_low")
        batch_op.drop_column("rank_before")
        batch_op.drop_column("others")

    with op.batch_alter_table("rescorings", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_rescorings_undecided",
            sqlite_where=sa.text("state = 'trial'"),
            postgresql_where=sa.text("state = 'trial'"),
        )
        batch_op.drop_index("ix_rescorings_competition_id")

    op.drop_table("rescorings")
    with op.batch_alter_table("merge_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_merge_requests_other_id"))

    op.drop_table("merge_requests")
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitations_user_id"))
        batch_op.drop_index(batch_op.f("ix_invitations_team_id"))

    op.drop_table("invitations")
