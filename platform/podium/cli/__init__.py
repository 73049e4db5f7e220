"""The command line: `podium ...`. Each module below holds the commands of one noun.

A command's module is imported when the command runs, and no sooner: `podium --help` and the
commands of competitors start without the web, the database or any numeric library.
"""

import sys
from typing import Any, NamedTuple, NoReturn

import click

from podium import __version__
from podium.errors import ClosedError, ConfigError, FaultError, NotFoundError, PodiumError

OK, USAGE, NO_ACCESS, NOT_FOUND, INVALID, LIMIT, UNSCORED, FAULT, UNFINISHED = 0, *range(2, 10)
EXIT_CODES = {
    OK: "ok",
    USAGE: "wrong usage",
    NO_ACCESS: "not signed in, or no access",
    NOT_FOUND: "not found",
    INVALID: "invalid submission",
    LIMIT: "limit reached, or deadline passed",
    UNSCORED: "ended without a score (--wait)",
    FAULT: "fault of the server or the platform",
    UNFINISHED: "still unfinished at the end of --wait",
}
# By the API's error codes first, then by the HTTP status.
EXIT_BY_CODE = {
    "closed": LIMIT,
    "empty": INVALID,
    "too_large": INVALID,
    "invalid_submission": INVALID,
    "no_answer": FAULT,
    "rate_limited": FAULT,  # not the team's limit: the server's, and it passes
    "fault": FAULT,
    "config": USAGE,
}
EXIT_BY_STATUS = {400: USAGE, 401: NO_ACCESS, 403: NO_ACCESS, 404: NOT_FOUND, 409: USAGE}
EXIT_BY_STATUS |= {413: INVALID, 422: INVALID, 429: LIMIT}


class Entry(NamedTuple):
    """Where a command is, and its line in `podium --help`."""

    section: str
    module: str
    name: str
    help: str


COMPETE, HOST, OPERATE = "Compete", "Host", "Operate"
COMMANDS = {
    "login": Entry(COMPETE, "account", "login", "Sign in to a server and keep a token."),
    "logout": Entry(COMPETE, "account", "logout", "Forget the token, and end it."),
    "whoami": Entry(COMPETE, "account", "whoami", "Who you are, and where."),
    "account": Entry(COMPETE, "belongings", "account", "Sign-ins, tokens, address, your data."),
    "config": Entry(COMPETE, "account", "config", "Settings of this command line."),
    "competitions": Entry(COMPETE, "competitions", "competitions", "List, show, join (alias: c)."),
    "files": Entry(COMPETE, "competitions", "files", "The files of a competition."),
    "download": Entry(COMPETE, "competitions", "download", "Download them."),
    "submit": Entry(COMPETE, "submissions", "submit", "Hand in a file, or check it."),
    "submissions": Entry(COMPETE, "submissions", "submissions", "What you handed in."),
    "submission": Entry(COMPETE, "submissions", "submission", "One submission in full."),
    "episodes": Entry(COMPETE, "episodes", "episodes", "What a submitted agent has played."),
    "replay": Entry(COMPETE, "episodes", "replay", "An episode as a page that plays it."),
    "matches": Entry(COMPETE, "matches", "matches", "Games of agents, and who beats whom."),
    "cancel": Entry(COMPETE, "submissions", "cancel", "Stop a submission before its score."),
    "limits": Entry(COMPETE, "submissions", "limits", "How many submissions are left."),
    "leaderboard": Entry(COMPETE, "leaderboard", "leaderboard", "The board."),
    "run": Entry(COMPETE, "rehearsal", "run", "Run a bundle, model or agent on this machine."),
    "shakeup": Entry(COMPETE, "leaderboard", "shakeup", "What the reveal changed."),
    "season": Entry(COMPETE, "seasons", "season", "People by points and medals."),
    "person": Entry(COMPETE, "seasons", "person", "What somebody has done."),
    "team": Entry(COMPETE, "teams", "team", "Your team: invite, accept, leave, merge."),
    "discussion": Entry(COMPETE, "discussion", "discussion", "Threads of a competition."),
    "notifications": Entry(COMPETE, "notifications", "notifications", "What you were told."),
    "select": Entry(COMPETE, "teams", "select", "Choose your final submissions."),
    "score": Entry(COMPETE, "scoring", "score", "Check a file, score it against answers."),
    "completion": Entry(COMPETE, "completion", "completion", "Let the shell complete words."),
    "challenges": Entry(
        HOST, "challenges", "challenges", "List, write, check, prepare challenges."
    ),
    "courses": Entry(HOST, "courses", "courses", "Your courses: create, join, codes, people."),
    "roster": Entry(HOST, "courses", "roster", "Class lists: import, look."),
    "grades": Entry(HOST, "grades", "grades", "Grades: rule, override, release, export."),
    "announcements": Entry(
        HOST, "announcements", "announcements", "What you tell everybody: post, edit, remove."
    ),
    "grant": Entry(HOST, "allowances", "grant", "Give a team extra submissions."),
    "extend": Entry(HOST, "allowances", "extend", "Give a team a later deadline."),
    "retry": Entry(HOST, "allowances", "retry", "Run again what ended in error."),
    "board": Entry(HOST, "rescoring", "board", "Options of a board: names, freeze, Ladder."),
    "rescore": Entry(HOST, "rescoring", "rescore", "Score everything again: trial, apply."),
    "reveal": Entry(HOST, "rescoring", "reveal", "Show the private board to everybody."),
    "disqualify": Entry(HOST, "rescoring", "disqualify", "Take a team or submission off."),
    "integrity": Entry(HOST, "rescoring", "integrity", "What may be worth a question."),
    "up": Entry(OPERATE, "operate", "up", "Run everything: web, workers, queue."),
    "web": Entry(OPERATE, "serve", "web", "Run the web server only."),
    "worker": Entry(OPERATE, "operate", "work", "Run a worker; drain workers."),
    "reconcile": Entry(OPERATE, "operate", "reconcile", "Keep queue and database in agreement."),
    "practice": Entry("", "operate", "practice", ""),
    "doctor": Entry(OPERATE, "operate", "examine", "Say what is wrong and how to mend it."),
    "backup": Entry(OPERATE, "backup", "backup", "Write everything into one file, while it runs."),
    "restore": Entry(OPERATE, "backup", "restore", "Read such a file into an empty home."),
    "storage": Entry(OPERATE, "storage", "storage", "What fills the disk, and what may go."),
    "operation": Entry(OPERATE, "operation", "operation", "A server over its API: for admins."),
    "db": Entry(OPERATE, "operate", "db", "The database's schema."),
    "user": Entry(OPERATE, "operate", "user", "People of this installation."),
}
ALIASES = {"c": "competitions"}


class Suggesting(click.Group):
    """A group that answers a wrong command with the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may be meant."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1, cutoff=0.5)
            hint = (
                f"Did you mean {near[0]!r}?" if near else f"`{ctx.command_path} --help` lists all."
            )
            ctx.fail(f"There is no command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)


class Main(Suggesting):
    """The group of all commands, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names that help shows."""
        return [name for name, entry in COMMANDS.items() if entry.section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and take it from there."""
        entry = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if entry is None:
            return None
        module = __import__(f"podium.cli.{entry.module}", fromlist=[entry.name])
        command: click.Command = getattr(module, entry.name)
        return command

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> "list[click.shell_completion.CompletionItem]":
        """The table above, without importing anything."""
        from click.shell_completion import CompletionItem

        return [
            CompletionItem(name, help=entry.help)
            for name, entry in COMMANDS.items()
            if entry.section and name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table above, by section, without importing anything."""
        for section in (COMPETE, HOST, OPERATE):
            rows = [(n, entry.help) for n, entry in COMMANDS.items() if entry.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The exit codes."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run; a known error becomes its words and its exit code."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            fail_if_known(error)
            raise


@click.command(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="podium")
def main() -> None:
    """Podium: competitions and leaderboards for deep-learning courses and clubs."""


def fail_if_known(error: Exception) -> None:
    """End with the words and the exit code of an error that Podium raises on purpose."""
    if isinstance(error, PodiumError):
        # The server repeats its words where a field is at fault: once is enough.
        told = [d for d in getattr(error, "details", ()) if d["expected"] not in error.message]
        end(error.message, exit_code(error), told)
    if isinstance(error, OSError) and error.strerror:  # a folder, a file, a disk of this computer
        end(f"{error.filename or 'This'}: {error.strerror}.", USAGE)
    if "podium_scoring.errors" in sys.modules:
        from podium_scoring.errors import ScoringError, SubmissionError

        if isinstance(error, ScoringError):
            code = INVALID if isinstance(error, SubmissionError) else USAGE
            details = [vars(detail) for detail in error.details]
            end(error.message, code, details, error.more)


def exit_code(error: PodiumError) -> int:
    """The exit code for an error, from the server or from here."""
    code = error.facts.get("code", error.code)
    if code in EXIT_BY_CODE:
        return EXIT_BY_CODE[code]
    status = getattr(error, "status", None)
    if status is not None:
        return EXIT_BY_STATUS.get(status, FAULT if status >= 500 or status == 0 else USAGE)
    local = {ConfigError: USAGE, FaultError: FAULT, NotFoundError: NOT_FOUND, ClosedError: LIMIT}
    return local.get(type(error), USAGE)


def end(message: str, code: int, details: Any = (), more: int = 0) -> NoReturn:
    """Say what is wrong on stderr, with its places, and exit."""
    from podium.cli.output import clean, places

    click.echo(clean(f"Error: {message}"), err=True)
    for line in places(details, more):
        click.echo(f"  {line}", err=True)
    raise click.exceptions.Exit(code)
