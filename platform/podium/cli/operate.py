"""Commands of those who run Podium: the whole tree, its parts, the database, users."""

from pathlib import Path

import click

from podium import accounts, crew, doctor, hosting, logs, reconciler, schema, workers
from podium.config import Config
from podium.database import Database
from podium.installation import Installation
from podium.jobqueue import QUEUES
from podium.supervisor import Supervisor


def _config(home: Path | None = None, **given: object) -> Config:
    return Config.load(home, **given)


WORK_TOKEN = "run workers of podium up"  # a new one at each start


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
            supervisor.work_token = accounts.renew_work_token(session, WORK_TOKEN)
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


@click.group(name="worker", invoke_without_command=True)
@click.option("--queue", type=click.Choice(QUEUES), help="The queue it serves.")
@click.option("--name", help="Unique among living workers, the same after a restart.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda:N.")
@click.option("--tag", "tags", multiple=True, help="What challenges may ask for; repeatable.")
@click.option("--burst", is_flag=True, help="End when the queue is empty.")
@click.pass_context
def work(
    context: click.Context,
    queue: str | None,
    name: str | None,
    processes: int,
    device: str,
    tags: tuple[str, ...],
    burst: bool,
) -> None:
    """Run a worker; each process serves exactly one queue.

    Queues of GPUs get a process for each device. Run workers need no database: they know the web
    by PODIUM_URL and a PODIUM_TOKEN of `podium worker token`, and are woken by PODIUM_REDIS_URL.
    """
    if context.invoked_subcommand:
        return
    if queue is None:
        raise click.UsageError("Which queue does it serve? Say --queue score, for one.")
    config = _config()
    logs.begin(config.log_format)
    orders = crew.Orders(queue, name, processes, device, tags, burst)
    crew.serve(config, orders, say=click.echo)


@work.command()
@click.argument("name")
def token(name: str) -> None:
    """Make a token for the run workers of a host; an earlier one of its NAME ends."""
    with schema.opened(_config()).writing() as session:
        click.echo(accounts.renew_work_token(session, name))


@work.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--queue", type=click.Choice(QUEUES), help="All workers of this queue.")
@click.option("--all", "everyone", is_flag=True, help="All workers.")
def drain(names: tuple[str, ...], queue: str | None, everyone: bool) -> None:
    """Ask workers to end after what they have in hand; nothing is lost.

    Whoever starts workers anew (podium up, systemd) then starts them with the code of today.
    """
    if not (names or queue or everyone):
        raise click.UsageError("Which workers? Name them, or say --queue or --all.")
    with schema.opened(_config()).writing() as session:
        asked = workers.drain(session, names, queue)
    for name in asked:
        click.echo(name)
    click.echo(f"{len(asked)} asked to end; each does within a heartbeat of its work.", err=True)


@click.command()
def reconcile() -> None:
    """Make the queue agree with the database, again and again."""
    config = _config()
    logs.begin(config.log_format)
    reconciler.serve(Installation.open(config))


@click.command(name="doctor")
def examine() -> None:
    """Look at every part of this installation; say what is wrong and how to mend it."""
    found = list(doctor.examine(Installation.open(_config())))
    for one in found:
        click.echo(f"{'ok' if one.is_well else 'WRONG':<6} {one.part}: {one.found}")
        if one.cure:
            click.echo(f"       {one.cure}")
    if not all(one.is_well for one in found):
        raise SystemExit(8)
    click.echo("All is well.", err=True)


@click.command(hidden=True)
def practice() -> None:
    """Prepare the challenges that come with Podium, and hand in their baselines."""
    config = _config()
    logs.begin(config.log_format)
    hosting.practice(Installation.open(config))


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
    with schema.opened(_config()).writing() as session:
        made = accounts.create_user(session, handle, email, password_hash, role=role)
    click.echo(f"{made.handle} ({made.role}) was created.", err=True)


@user.command(name="role")
@click.argument("handle")
@click.argument("new_role", type=click.Choice(accounts.ROLES), metavar="ROLE")
@click.option("--reason", default="", help="Why; it goes to the audit log.")
def change_role(handle: str, new_role: str, reason: str) -> None:
    """Give a user another role: student, instructor or admin."""
    with schema.opened(_config()).writing() as session:
        accounts.set_role(session, handle, new_role, by=None, reason=reason)
    click.echo(f"{handle} is {new_role} now.", err=True)
