"""Lists of items and what was relevant, as arrays that can be looked up all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.errors import ChallengeError, SubmissionError
from podium_scoring.units import Floats

Integers = NDArray[np.int64]
TABLE_CELLS = 64_000_000  # users x items looked up in a table of bytes, else by bisection


@dataclass(frozen=True)
class Relevance:
    """The answers prepared: what is relevant to whom, and how much."""

    known: NDArray[Any]  # the items that are relevant to anybody, sorted
    is_direct: bool  # items are small integers and their own codes
    span: int  # codes of known items are below
    keys: Integers  # user * span + code, sorted
    gains: Floats  # of each key
    falling: Floats  # gains by user, the highest first
    starts: Integers  # of each user in `falling`, and the end
    table: NDArray[np.bool_] | None  # whether a key is relevant, where that fits

    def __len__(self) -> int:
        """Number of users."""
        return len(self.starts) - 1

    @property
    def counts(self) -> Integers:
        """Number of relevant items of each user."""
        return np.diff(self.starts)

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Users with a relevant item."""
        return self.counts > 0

    @classmethod
    def of(cls, answers: Any) -> "Relevance":
        """The answers prepared, or themselves if they are; ChallengeError if nothing is relevant.

        >>> Relevance.of([{1: 3.0, 2: 1.0}, {5}, [1, 7]]).counts.tolist()
        [2, 1, 2]
        """
        if isinstance(answers, Relevance):
            return answers
        users: list[int] = []
        items: list[Any] = []
        gains: list[float] = []
        for user, answer in enumerate(answers):
            graded = _graded(answer)
            users += [user] * len(graded)
            items += graded.keys()
            gains += graded.values()
        if not items:
            raise ChallengeError(
                "The answers hold no relevant item. Every metric of lists needs one."
            )
        named = _items(items)
        values = np.array(gains, np.float64)
        if not (np.isfinite(values) & (values > 0)).all():
            raise ChallengeError("Every gain in the answers must be finite and above 0.")
        known, codes = np.unique(named, return_inverse=True)
        is_direct = known.dtype.kind == "i" and known[0] >= 0 and known[-1] < 1000 + 10 * len(known)
        codes = named if is_direct else codes
        span = int(codes.max()) + 1
        owner = np.array(users)
        keys = owner * span + codes
        order, falling = np.argsort(keys, kind="stable"), np.lexsort((-values, owner))
        table = None
        if len(answers) * span <= TABLE_CELLS:
            table = np.zeros(len(answers) * span, np.bool_)
            table[keys] = True
        starts = np.searchsorted(owner, np.arange(len(answers) + 1))
        sorted_keys, sorted_gains = keys[order], values[order]
        return cls(
            known, is_direct, span, sorted_keys, sorted_gains, values[falling], starts, table
        )

    def best(self, k: int) -> Floats:
        """Gains of the first k in the best order, (users, k), 0 beyond the last."""
        places = self.starts[:-1, None] + np.arange(k)
        real = places < self.starts[1:, None]
        return np.where(real, self.falling[np.where(real, places, 0)], 0.0)

    def gain(self, codes: Integers) -> Floats:
        """Gain of each item code (users, depth) for its user, 0 where it is not relevant."""
        keys = codes + (np.arange(len(self)) * self.span)[:, None]
        inside = (codes >= 0) & (codes < self.span)
        if self.table is not None:
            inside &= self.table[np.where(inside, keys, 0)]
        found = keys[inside]
        places = np.searchsorted(self.keys, found).clip(max=len(self.keys) - 1)
        gains = np.zeros(codes.shape)
        gains[inside] = np.where(self.keys[places] == found, self.gains[places], 0.0)
        return gains

    def code(self, items: NDArray[Any]) -> Integers:
        """A number for each item: from 0 below `span` only if somebody finds it relevant."""
        if self.is_direct:
            return items
        places = np.searchsorted(self.known, items).clip(max=len(self.known) - 1)
        strange = self.known[places] != items
        places[strange] = self.span + np.unique(items[strange], return_inverse=True)[1]
        return places

    def popularity(self) -> dict[Any, float]:
        """Share of users to whom each item is relevant."""
        items, times = np.unique(self.keys % self.span, return_counts=True)
        names = items if self.is_direct else self.known[items]
        return dict(zip(names.tolist(), (times / len(self)).tolist(), strict=True))


@dataclass(frozen=True)
class Lists:
    """The first k items of each user's list as an array, and which places hold one."""

    items: NDArray[Any]
    codes: Integers
    real: NDArray[np.bool_]

    @classmethod
    def of(cls, predictions: Any, truth: Relevance, k: int) -> "Lists":
        """The array; SubmissionError for a list that names an item twice or the wrong number."""
        if k < 0:
            raise ChallengeError(f"k is {k!r}. It counts the places that matter: 1 or more.")
        if len(predictions) != len(truth):
            raise SubmissionError(
                f"There are {len(predictions)} lists. The answers have {len(truth)} users."
            )
        kind = truth.known.dtype.kind
        if isinstance(predictions, np.ndarray) and predictions.ndim == 2:
            items = _converted(predictions[:, :k] if k else predictions, kind)
            real = np.ones(items.shape, np.bool_)
        else:
            rows = [_row(row, place)[: k or None] for place, row in enumerate(predictions, start=1)]
            sizes = np.array([len(row) for row in rows])
            real = np.arange(max(1, int(sizes.max()))) < sizes[:, None]
            flat = _converted(_items([item for row in rows for item in row]), kind)
            items = np.full(
                real.shape, truth.known[0], flat.dtype if flat.size else truth.known.dtype
            )
            items[real] = flat
        codes = np.array(truth.code(items), np.int64)
        codes[~real] = (
            np.iinfo(np.int64).min + np.broadcast_to(np.arange(codes.shape[1]), codes.shape)
        )[~real]
        ordered = np.sort(codes, axis=1)
        twice = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
        if twice.any():
            user = int(twice.argmax())
            row = items[user][real[user]].tolist()
            culprit = next(item for item in row if row.count(item) > 1)
            raise SubmissionError(
                f"List {user + 1} names item {culprit!r} twice. An item can be recommended once."
            )
        return cls(items, codes, real)


def _graded(answer: Any) -> dict[Any, float]:
    """A user's relevant items with their gains; 1 where none is told."""
    if isinstance(answer, Mapping):
        return dict(answer)
    return dict.fromkeys(answer.split() if isinstance(answer, str) else answer, 1.0)


def _row(row: Any, place: int) -> list[Any]:
    if isinstance(row, str):
        return row.split()
    if not isinstance(row, list | tuple | np.ndarray):
        raise SubmissionError(f"List {place} is {row!r}. It must be items, the best first.")
    return list(row)


def _items(items: Sequence[Any]) -> NDArray[Any]:
    """Items as an array of integers, or of texts if not all are integers."""
    if all(isinstance(item, int | np.integer) and abs(int(item)) < 2**62 for item in items):
        return np.array(items, np.int64)
    return np.array([str(item) for item in items])


def _converted(items: NDArray[Any], kind: str) -> NDArray[Any]:
    """Submitted items as what the answers hold: integers or texts."""
    if kind == "i" and items.dtype.kind == "i":
        return items.astype(np.int64, copy=False)
    if kind == "U":
        return items.astype(np.str_)
    try:
        return items.astype(np.str_).astype(np.int64)
    except (ValueError, OverflowError) as error:
        raise SubmissionError(
            f"An item is no whole number: {error}. Items are whole numbers."
        ) from error
