"""The database's schema: bring it to the version of this code, and say which it has."""

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from podium import paths
from podium.database import Database


def alembic_config(database: Database) -> AlembicConfig:
    """Alembic's settings, for the migrations that travel with this code."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(paths.bundled("migrations")))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["database"] = database
    return config


def upgrade(database: Database) -> None:
    """Run the migrations that are missing; on a current database this does nothing."""
    command.upgrade(alembic_config(database), "head")


def revisions(database: Database) -> tuple[str | None, str | None]:
    """The schema's revision in the database and in this code."""
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(alembic_config(database)).get_current_head()
