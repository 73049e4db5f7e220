"""The reference page of the metrics, made from their dictionary."""

import inspect
import math
from importlib import import_module

from podium_scoring.metric import KINDS, Metric
from podium_scoring.registry import METRICS

FAMILIES = {
    "classification": "Classes",
    "probability": "Probabilities",
    "regression": "Numbers",
    "detection": "Boxes",
    "segmentation": "Masks",
    "translation": "Translations",
    "dialogue": "Dialogue",
    "ranking": "Recommendations",
    "generation": "Generated images",
    "games": "Games",
}
_HEAD = (
    (
        "Made from the dictionary `podium_scoring.METRICS`; a test holds this page to it. "
        "`python -m podium_scoring list` prints the same in short, "
        "`podium_scoring.compute(name, predictions, answers, **options)` computes one in "
        "Python, and [Declaring files and metrics](challenge.md) says which columns a metric "
        "reads. "
    ),
    (
        "Every score has a 95 % interval. It says what chance in the choice of the *unit* does "
        "to the value: shares of right units have Wilson's, metrics of counts resample the "
        "counts, others resample their units (percentile bootstrap, seeded; 1,000 "
        "resamples, or 400 where each costs a pass over the units), "
        "and where resampling is biased or too dear it is Student's with each unit's influence, "
        "as its own text says. A score's signature is one line that parses back: metric, digest "
        "of the answers and split, options, versions of the libraries that matter, version of "
        "scoring, seed. "
    ),
)


def page() -> str:
    """The page in Markdown."""
    parts = ["# Metrics\n", *(f"{text.strip()}\n" for text in _HEAD)]
    for family, title in FAMILIES.items():
        parts.append(f"## {title}\n")
        parts += [_section(one) for one in METRICS.values() if one.family == family]
    return "\n".join(parts)


def _section(metric: Metric) -> str:
    kind = KINDS[metric.takes]
    better = "higher" if metric.higher_is_better else "lower"
    bounds = f"{better} is better, best {_number(metric.best)}"
    if metric.worst is not None and math.isfinite(metric.worst):
        bounds += f", worst {_number(metric.worst)}"
    rows = [
        ("formula", metric.formula),
        ("direction", bounds),
        ("takes", f"{kind.predictions}; answers: {kind.answers}"),
        ("unit", metric.unit),
        *(
            (f"option `{name}`", f"{option.help} (default `{option.default!r}`)")
            for name, option in metric.options.items()
        ),
        ("source", metric.source),
        ("cost", metric.cost),
    ]
    table = "\n".join(f"| {name} | {text.replace('|', '¦')} |" for name, text in rows)
    return f"### `{metric.name}`: {metric.title}\n\n{_text(metric)}\n\n| | |\n|---|---|\n{table}\n"


def _text(metric: Metric) -> str:
    """The function's own words, a paragraph a line."""
    function = getattr(import_module(f"podium_scoring.{metric.family}"), metric.name)
    words = inspect.getdoc(function) or ""
    return "\n\n".join(" ".join(part.split()) for part in words.split("\n\n"))


def _number(value: float) -> str:
    return "without bound" if math.isinf(value) else f"{value:g}"
