"""How Alembic reaches the database: the one given by podium.schema, else the installation's."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from podium.config import Config
from podium.database import Database
from podium.models import Record
from podium.models.record import Moment


def run() -> None:
    given = context.config.attributes.get("database")
    database = given or Database(Config.load().database)
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Record.metadata,
            render_as_batch=True,
            compare_type=True,
            render_item=_render,
        )
        with context.begin_transaction():
            context.run_migrations()


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types as plain SQLAlchemy: a migration outlives the code's classes."""
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    return False


run()
