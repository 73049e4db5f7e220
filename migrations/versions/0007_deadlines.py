"""deadlines: of students and sections, grace, late days

Safe to run while the previous release still serves: add columns as nullable or with a server
default, never rename or drop what the previous release reads.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("grace_minutes", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("late_hours", sa.Integer(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("late_percent", sa.Integer(), server_default="0", nullable=False)
        )

    with op.batch_alter_table("extensions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("competition_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("user_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("section", sa.Text(), nullable=True))
        batch_op.alter_column("team_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index(
            batch_op.f("ix_extensions_competition_id"), ["competition_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_extensions_user_id"), "users", ["user_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_extensions_competition_id"),
            "competitions",
            ["competition_id"],
            ["id"],
            ondelete="CASCADE",
        )

    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("competition_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("user_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("section", sa.Text(), nullable=True))
        batch_op.alter_column("team_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index(
            batch_op.f("ix_grants_competition_id"), ["competition_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_grants_competition_id"),
            "competitions",
            ["competition_id"],
            ["id"],
            ondelete="CASCADE",
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_grants_user_id"), "users", ["user_id"], ["id"], ondelete="CASCADE"
        )


def downgrade() -> None:
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_grants_user_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_grants_competition_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_grants_competition_id"))
        batch_op.alter_column("team_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.drop_column("section")
        batch_op.drop_column("user_id")
        batch_op.drop_column("competition_id")

    with op.batch_alter_table("extensions", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_extensions_competition_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_extensions_user_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_extensions_competition_id"))
        batch_op.alter_column("team_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.drop_column("section")
        batch_op.drop_column("user_id")
        batch_op.drop_column("competition_id")

    with op.batch_alter_table("competitions", schema=None) as batch_op:
        batch_op.drop_column("late_percent")
        batch_op.drop_column("late_hours")
        batch_op.drop_column("grace_minutes")
