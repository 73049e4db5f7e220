"""What can go wrong, as one tree. Each class says whose move it is and carries the words to show.

PodiumError
├── ConfigError            a setting is wrong: said to the operator at the start
├── AskError               what a person asked for cannot be done: shown to them as it stands
│   ├── BadRequestError        the request itself is malformed
│   ├── NotSignedInError       nobody is signed in, or the token is unknown
│   ├── NoAccessError          signed in, but not allowed
│   ├── NotFoundError          no such thing (or not for these eyes)
│   ├── ConflictError          it collides with what is already there
│   ├── TooLargeError          more bytes than the limit
│   ├── LimitError             a daily or total limit is reached
│   └── ClosedError            before the opening or after the deadline
└── FaultError             ours: storage, queue or database did not do its part

`SubmissionError` (the student's file) and `ChallengeError` (the host's folder) come from
`podium_scoring.errors`; every exception that is none of these is a fault of ours.
"""

from collections.abc import Mapping
from typing import Any

__all__ = [
    "AskError",
    "BadRequestError",
    "ClosedError",
    "ConfigError",
    "ConflictError",
    "FaultError",
    "LimitError",
    "NoAccessError",
    "NotFoundError",
    "NotSignedInError",
    "PodiumError",
    "TooLargeError",
]


class PodiumError(Exception):
    """Base of what Podium raises on purpose; `code` is stable, the text is for people."""

    code = "internal"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts: Mapping[str, Any] = facts


class ConfigError(PodiumError):
    """A setting is unknown, of the wrong form, or contradicts another."""

    code = "config"


class AskError(PodiumError):
    """What a person asked for cannot be done; the message is shown as it stands."""

    code = "bad_request"


class BadRequestError(AskError):
    """The request is malformed: a field is missing or of the wrong form."""

    code = "bad_request"


class NotSignedInError(AskError):
    """Nobody is signed in, or the token is unknown, revoked or past its end."""

    code = "not_signed_in"


class NoAccessError(AskError):
    """Signed in, but role, membership or token scope does not allow it."""

    code = "no_access"


class NotFoundError(AskError):
    """There is no such thing, or it is not for the one who asks."""

    code = "not_found"


class ConflictError(AskError):
    """It collides with what is already there."""

    code = "conflict"


class TooLargeError(AskError):
    """More bytes than the limit of the competition."""

    code = "too_large"


class LimitError(AskError):
    """The daily or total limit of the team is reached; `facts` carry the limits and their reset."""

    code = "limit_reached"


class ClosedError(AskError):
    """The competition has not opened yet, is being prepared, or its deadline has passed."""

    code = "closed"


class FaultError(PodiumError):
    """Storage, queue or database did not do its part: ours, never the student's."""

    code = "fault"
