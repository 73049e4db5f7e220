"""Feeds hidden inputs to submitted code in batches, and checks each answer as it comes."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.sandbox.inside.frames import ANSWER, ASK, Field
from podium.sandbox.link import BrokenError, LinkError
from podium.sandbox.outcome import Cause, Outcome
from podium.sandbox.served import Served

Array = NDArray[Any]
TRIAL_SHARE = 0.01
TRIAL_NOTE = "This was seen on the first 1 % of the rows."
LARGEST_NUMBER = 8  # bytes
ROOM_FOR_WORDS = 1 << 16
SLACK_S = 10.0  # the clock of the sandbox is the one that ends a run
KINDS = {"float": "fiu", "integer": "iub", "boolean": "b"}


@dataclass(frozen=True)
class Expected:
    """What an answer must look like: its shape without the batch axis, and its kind of number.

    `float` takes integers too; NaN and infinity are never taken.
    """

    shape: tuple[int, ...] = ()
    kind: str = "float"

    def most_bytes(self, rows: int) -> int:
        """What an answer for this many rows takes at most, with room for a message."""
        return math.prod(self.shape) * rows * LARGEST_NUMBER + ROOM_FOR_WORDS

    def check(self, values: Field | None, first: int, rows: int) -> Array:
        """The answer for these rows. Raises BrokenError that names the first row at fault."""
        told = f"The predictions for rows {first} to {first + rows - 1}"
        if not isinstance(values, np.ndarray):
            raise BrokenError(f"{told} are not an array.")
        if values.shape != (rows, *self.shape):
            raise BrokenError(f"{told} have shape {values.shape}. Expected {(rows, *self.shape)}.")
        if values.dtype.kind not in KINDS[self.kind]:
            raise BrokenError(f"{told} are {values.dtype}. Expected {self.kind} numbers.")
        finite = np.isfinite(values).reshape(rows, -1).all(axis=1)
        if not finite.all():
            row = int(np.flatnonzero(~finite)[0])
            raise BrokenError(f"The prediction for row {first + row} is NaN or infinite.")
        return values


def predict(
    served: Served,
    inputs: Mapping[str, Array],
    expected: Expected,
    batch_rows: int,
) -> tuple[Outcome, Array | None]:
    """Ask for all rows; returns how it went and the predictions, or None if it went wrong.

    The first batch is 1 % of the rows, so that a mistake shows within seconds. While one batch is
    computed the next is already on its way. A `Served` answers one `predict` and is then over.
    """
    rows = len(next(iter(inputs.values())))
    if not rows:
        raise ValueError("There are no rows to predict: the inputs are empty.")
    served.link.most_bytes = expected.most_bytes(batch_rows)
    limit_s = served.sandbox.job.limits.wall_s + SLACK_S
    answers: list[Array] = []
    answered = 0
    sent = _batches(inputs, rows, batch_rows)
    pending: list[tuple[int, int]] = []
    try:
        served.ready(limit_s)
        while answered < rows:
            # Not before the trial has come back well: then two at a time.
            while len(pending) < (2 if answers else 1) and (batch := next(sent, None)):
                first, count, fields = batch
                served.link.post(ASK, fields)
                pending.append((first, count))
            fields = served.link.expect(ANSWER, limit_s)
            first, count = pending.pop(0)
            answers.append(expected.check(fields.get("predictions"), first, count))
            answered += count
    except LinkError as error:
        outcome = served.failed(error)
        if pending and not answers and outcome.cause is not Cause.CANCELLED:
            outcome = replace(outcome, reason=f"{outcome.reason} {TRIAL_NOTE}")
        return outcome, None
    return served.finished(), np.concatenate(answers)


def _batches(
    inputs: Mapping[str, Array], rows: int, batch_rows: int
) -> Iterator[tuple[int, int, dict[str, Field]]]:
    first = 0
    while first < rows:
        wanted = batch_rows if first else min(batch_rows, max(1, round(rows * TRIAL_SHARE)))
        count = min(wanted, rows - first)
        yield first, count, {name: array[first : first + count] for name, array in inputs.items()}
        first += count
