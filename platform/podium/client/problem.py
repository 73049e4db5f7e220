"""What the server answered instead."""

from collections.abc import Sequence
from typing import Any

from podium.errors import PodiumError


class ProblemError(PodiumError):
    """What the server answered instead; `status` is 0 where no server answered.

    `details` are places of a file or fields of the request, with the keys line, column, expected
    and got; `retry_after_s` is when the server says to ask again.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Sequence[dict[str, Any]] = (),
        *,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = list(details)
        self.retry_after_s = retry_after_s
