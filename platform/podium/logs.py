"""Lines of the log: one an event, for people or for machines, with what they are about."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.stdlib import ProcessorFormatter

FORMATS = ("text", "json")


def begin(style: str) -> None:
    """Send this process's lines, from warnings up, to stderr: as `text` or as `json`."""
    machine = style == "json"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[
                merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer() if machine else _line,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def about(**facts: object) -> AbstractContextManager[None]:
    """Whatever is logged inside is about this: `about(submission=3, attempt=1)`."""
    return bound_contextvars(**facts)


def _line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """`WARNING podium.judging: what happened (submission=3 attempt=1)`; time comes from outside."""
    trace = event.pop("exception", "")
    event.pop("timestamp")
    level, logger, said = event.pop("level"), event.pop("logger"), event.pop("event")
    named = sorted(event.items(), key=lambda fact: (fact[0] != "submission", fact[0]))
    facts = " ".join(f"{name}={value}" for name, value in named)
    line = f"{level.upper()} {logger}: {said}" + (f" ({facts})" if facts else "")
    return f"{line}\n{trace}" if trace else line
