"""Charts as plain SVG, drawn on the server: lines with labels beside them, no legend, no script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from podium.history import Progress
from podium.shakeup import Shift
from podium.web.pages import display

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 150, 12, 28
APART = 15  # pixels between two labels
MOST_LABEL = 20
TICKS = 5


@dataclass(frozen=True)
class Line:
    """A line with its label; `colour` counts the colours and dashes of the stylesheet."""

    points: str
    label: str
    label_y: float
    end_x: float
    end_y: float
    colour: int
    is_me: bool
    is_baseline: bool


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """What a template draws, in pixels."""

    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def progress(grown: Sequence[Progress], *, higher_is_better: bool) -> Chart | None:
    """How scores grew: a stair for each team, a dashed line for each baseline; None if nobody's."""
    teams = [one for one in grown if one.steps and not one.is_baseline]
    if not teams:
        return None
    moments = [step.at for one in teams for step in one.steps]
    first, last = min(moments), max(moments)
    if last - first < timedelta(minutes=1):
        last = first + timedelta(minutes=1)
    drawn = [*teams, *(one for one in grown if one.is_baseline)]
    scores = [step.score for one in drawn for step in one.steps]
    best = max(scores) if higher_is_better else min(scores)
    # A first try far behind would flatten everything that comes after it.
    ends = [one.steps[-1].score for one in drawn] + [one.steps[0].score for one in teams[:3]]
    low, high = _range([*ends, best])
    lines = []
    for number, one in enumerate(drawn):
        stair = _stair(one, first, last)
        points = [(_x(at, first, last), _y(score, low, high)) for at, score in stair]
        lines.append(_line(points, one.team, number, is_me=one.is_me, is_baseline=one.is_baseline))
    return Chart(
        _spread(lines),
        [Tick(_x(at, first, last), _day(at, last - first)) for at in _moments(first, last)],
        [Tick(_y(value, low, high), f"{value:.4g}") for value in _values(low, high)],
    )


def ranks(shifts: Sequence[Shift]) -> Chart | None:
    """Public rank on the left, private on the right: a line for each of the first teams."""
    shown = [one for one in shifts if one.public_rank is not None][:20]
    if len(shown) < 2:
        return None
    worst = max(max(one.public_rank or 0, one.private_rank) for one in shown)
    lines = []
    for number, one in enumerate(shown):
        ends = [
            (float(LEFT), _y(-float(one.public_rank or 0), -worst, -1)),
            (float(WIDTH - RIGHT), _y(-float(one.private_rank), -worst, -1)),
        ]
        label = f"{one.private_rank} {one.team}"
        lines.append(_line(ends, label, number, is_me=one.is_me, is_baseline=False))
    ticks = [
        Tick(_y(-float(one.public_rank or 0), -worst, -1), str(one.public_rank)) for one in shown
    ]
    return Chart(
        _spread(lines),
        [Tick(LEFT, "public rank"), Tick(WIDTH - RIGHT, "private rank")],
        ticks,
    )


def _stair(one: Progress, first: datetime, last: datetime) -> list[tuple[datetime, float]]:
    if one.is_baseline:
        return [(first, one.steps[-1].score), (last, one.steps[-1].score)]
    found = []
    for index, step in enumerate(one.steps):
        if index:
            found.append((step.at, one.steps[index - 1].score))
        found.append((step.at, step.score))
    return [*found, (last, one.steps[-1].score)]


def _line(
    points: Sequence[tuple[float, float]],
    label: str,
    number: int,
    *,
    is_me: bool,
    is_baseline: bool,
) -> Line:
    x, y = points[-1]
    short = label if len(label) <= MOST_LABEL else label[: MOST_LABEL - 1] + "…"
    said = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Line(said, short, y, x, y, number % 7, is_me, is_baseline)


def _spread(lines: Sequence[Line]) -> list[Line]:
    """The same lines with labels that do not cover one another."""
    placed: list[Line] = []
    last = float(TOP) - APART
    for one in sorted(lines, key=lambda each: each.end_y):
        last = max(one.end_y, last + APART)
        values = vars(one) | {"label_y": last}
        placed.append(Line(**values))
    return placed


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or max(abs(high), 1.0) * 0.05
    return low - margin, high + margin


def _x(at: datetime, first: datetime, last: datetime) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * ((at - first) / (last - first))


def _y(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.5
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(1.0, max(0.0, share))


def _values(low: float, high: float) -> list[float]:
    """Round numbers between two ends."""
    step = 10 ** math.floor(math.log10((high - low) / TICKS))
    for factor in (1, 2, 5, 10):
        if (high - low) / (step * factor) <= TICKS:
            step *= factor
            break
    start = math.ceil(low / step)
    return [index * step for index in range(start, math.floor(high / step) + 1)]


def _moments(first: datetime, last: datetime) -> list[datetime]:
    return [first + (last - first) * share for share in (0.0, 0.5, 1.0)]


def _day(at: datetime, span: timedelta) -> str:
    return display.day(at) if span > timedelta(days=2) else f"{display.day(at)} {at:%H:%M}"
