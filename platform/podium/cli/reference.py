"""Every command as docs/reference/cli.md has it: what it takes, and what it does."""

from collections.abc import Iterator

import click

from podium.cli import COMMANDS, EXIT_CODES, Main


def sections() -> str:
    """All commands by section, with their arguments and options, and the exit codes."""
    main = Main(name="podium")
    context = click.Context(main, info_name="podium")
    lines: list[str] = []
    for section in dict.fromkeys(entry.section for entry in COMMANDS.values() if entry.section):
        lines.append(f"## {section}\n")
        for name, entry in COMMANDS.items():
            if entry.section == section and (command := main.get_command(context, name)):
                lines += _command(command, context, name)
    lines += ["## Exit codes\n", "| code | means |", "|---|---|"]
    lines += [f"| {code} | {text} |" for code, text in EXIT_CODES.items()]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    """A command, then those inside it."""
    context = click.Context(command, parent=parent, info_name=name)
    is_group = isinstance(command, click.Group)
    if not is_group or command.params:
        usage = " ".join(command.collect_usage_pieces(context))
        yield f"### `{context.command_path} {usage}`\n".replace(" `", " `", 1)
        yield f"{_text(command)}\n"
        yield from _options(command, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None and not found.hidden:
                yield from _command(found, context, inner)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = [
        record
        for parameter in command.params
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context))
    ]
    if records:
        yield "| option | |"
        yield "|---|---|"
        for names, help_ in records:
            shown = " ".join(help_.split()).replace("|", "\\|")
            yield f"| `{names.replace('|', ' or ')}` | {shown} |"
        yield ""


def _text(command: click.Command) -> str:
    """Its help as one paragraph; lines that stand as they are become code."""
    text = (command.help or "").replace("\f", "")
    plain, _, as_they_are = text.partition("\b\n")
    said = " ".join(plain.split())
    return f"{said}\n\n```\n{as_they_are.rstrip()}\n```" if as_they_are else said
