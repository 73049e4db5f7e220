"""Commands of those who run Podium: the whole tree, its parts, the database, users."""

import logging
import os
import sys
from pathlib import Path

import click

from podium import accounts, hosting, reconciler, schema, worker
from podium.config import Config
from podium.database import Database
from podium.installation import Installation
from podium.jobqueue import QUEUES
from podium.supervisor import Supervisor


def _config(home: Path | None = None, **given: object) -> Config:
    return Config.load(home, **given)


def _log_to_stderr() -> None:
    """One line an event; the supervisor puts time and part in front."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


@click.command()
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all state.")
@click.option("--host", help="Address to listen on. Default 127.0.0.1.")
@click.option("--port", type=int, help="Port to listen on. Default 8000.")
@click.option("--no-demo", is_flag=True, help="Do not publish the practice competitions.")
def up(home: Path | None, host: str | None, port: int | None, no_demo: bool) -> None:
    """Run everything: Valkey, web, workers, reconciler. Ctrl-C ends it."""
    config = _config(home, host=host, port=port)
    config.home.mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor(config, with_practice=not no_demo, say=click.echo)

    def prepare() -> None:
        config.secret()
        installation = Installation.open(config)
        schema.upgrade(installation.database)
        with installation.database.writing() as session:
            admin.extend(accounts.ensure_admin(session) or ())
        if not no_demo:
            hosting.publish_bundled(installation)
        installation.database.close()

    def when_ready() -> None:
        (config.home / "run" / "url").write_text(config.url)
        click.echo(f"Podium is ready: {config.url}")
        if admin:
            handle, password = admin
            click.echo(f"Sign in as {handle} with the password {password} (shown only now).")
        click.echo(f"Everything is kept in {config.home}. Ctrl-C ends it.")

    admin: list[str] = []
    supervisor.run(prepare, when_ready)


@click.command()
def web() -> None:
    """Run the web server only (host and port from the settings)."""
    arguments = ["-P", "-m", "gunicorn", "-c", "python:podium.web.server"]
    os.execv(sys.executable, [sys.executable, *arguments])


@click.command(name="worker")
@click.option("--queue", type=click.Choice(QUEUES), required=True, help="The queue it serves.")
@click.option("--name", help="Unique among living workers, the same after a restart.")
@click.option("--burst", is_flag=True, help="End when the queue is empty.")
def work(queue: str, name: str | None, burst: bool) -> None:
    """Run one worker. Each serves exactly one queue."""
    _log_to_stderr()
    installation = Installation.open(_config())
    worker.serve(installation, queue, name or worker.default_name(queue), burst=burst)


@click.command()
def reconcile() -> None:
    """Make the queue agree with the database, again and again."""
    _log_to_stderr()
    reconciler.serve(Installation.open(_config()))


@click.command(hidden=True)
def practice() -> None:
    """Prepare the challenges that come with Podium, and hand in their baselines."""
    _log_to_stderr()
    hosting.practice(Installation.open(_config()))


@click.group()
def db() -> None:
    """The database's schema."""


@db.command()
def upgrade() -> None:
    """Bring the schema to the version of this code."""
    database = Database(_config().database)
    schema.upgrade(database)
    current, _ = schema.revisions(database)
    click.echo(f"{database.url.render_as_string(hide_password=True)} is at {current}.", err=True)


@click.group()
def user() -> None:
    """People of this installation."""


@user.command()
@click.argument("handle")
@click.argument("email")
@click.option("--role", type=click.Choice(accounts.ROLES), default="student", show_default=True)
@click.password_option()
def create(handle: str, email: str, role: str, password: str) -> None:
    """Create a user."""
    password_hash = accounts.hashed(password)
    with Database(_config().database).writing() as session:
        made = accounts.create_user(session, handle, email, password_hash, role=role)
    click.echo(f"{made.handle} ({made.role}) was created.", err=True)


@user.command(name="role")
@click.argument("handle")
@click.argument("new_role", type=click.Choice(accounts.ROLES), metavar="ROLE")
@click.option("--reason", default="", help="Why; it goes to the audit log.")
def change_role(handle: str, new_role: str, reason: str) -> None:
    """Give a user another role: student, instructor or admin."""
    with Database(_config().database).writing() as session:
        accounts.set_role(session, handle, new_role, by=None, reason=reason)
    click.echo(f"{handle} is {new_role} now.", err=True)
