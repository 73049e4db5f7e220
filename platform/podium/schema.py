"""The database's schema: bring it to the version of this code, and say which it has."""

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import inspect

from podium import paths
from podium.config import Config
from podium.database import Database
from podium.errors import ConfigError, PodiumError


def alembic_config(database: Database) -> AlembicConfig:
    """Alembic's settings, for the migrations that travel with this code."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(paths.bundled("migrations")))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["database"] = database
    return config


class UnknownRevisionError(PodiumError):
    """A revision that this code's migrations do not have."""


def upgrade(database: Database, revision: str = "head") -> None:
    """Run the migrations that are missing; on a current database this does nothing.

    UnknownRevisionError for a revision of a later Podium.
    """
    try:
        command.upgrade(alembic_config(database), revision)
    except CommandError as error:
        raise UnknownRevisionError(str(error)) from None


def opened(config: Config) -> Database:
    """The database that the settings name; ConfigError if it is not of this version's schema."""
    database = Database(config.database)
    current, head = revisions(database)
    is_there = inspect(database.engine).has_table("users")
    if is_there and current in (head, None):  # None: made of the models themselves
        return database
    where = f"{database.url.render_as_string(hide_password=True)} (home {config.home})"
    if not is_there:
        raise ConfigError(
            f"There is no Podium in {where}. Say where its home is, as `podium up` printed it: "
            "PODIUM_HOME=/the/home podium … For a new one, `podium db upgrade` makes the tables."
        )
    raise ConfigError(
        f"{where} is at {current}, this code at {head}. `podium db upgrade` brings it there."
    )


def revisions(database: Database) -> tuple[str | None, str | None]:
    """The schema's revision in the database and in this code."""
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(alembic_config(database)).get_current_head()
