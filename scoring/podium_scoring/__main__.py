"""`python -m podium_scoring`: lists the metrics, and scores a file as the server does."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from podium_scoring.errors import ChallengeError, ScoringError, SubmissionError
from podium_scoring.metric import Metric
from podium_scoring.registry import METRICS, metric
from podium_scoring.score import Score

USAGE, INVALID = 2, 5  # exit codes, as those of `podium`


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code: 0, 2 for its own or the answers' fault, 5."""
    said = _parser().parse_args(arguments)
    try:
        if said.command == "list":
            _list(said.format)
        else:
            _score(said)
    except ScoringError as error:
        _tell(error, said.format)
        return INVALID if isinstance(error, SubmissionError) else USAGE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m podium_scoring", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="the metrics: what they take, where better is")
    listing.add_argument("--format", choices=("table", "json"), default="table")
    scoring = commands.add_parser("score", help="score a file of predictions against answers")
    scoring.add_argument("metric", help="a name of the list")
    scoring.add_argument("--answers", type=Path, required=True)
    scoring.add_argument("--predictions", type=Path, required=True)
    scoring.add_argument("--id-column", default="id", help="what rows are aligned by")
    scoring.add_argument("--option", action="append", default=[], metavar="KEY=VALUE")
    scoring.add_argument("--seed", type=int, default=0, help="of the interval's resamples")
    scoring.add_argument("--format", choices=("text", "json"), default="text")
    return parser


def _list(style: str) -> None:
    rows: list[dict[str, Any]] = [
        {
            "name": one.name,
            "title": one.title,
            "family": one.family,
            "takes": one.takes,
            "higher_is_better": one.higher_is_better,
            "best": one.best if abs(one.best) < float("inf") else None,
            "unit": one.unit,
            "options": {name: option.default for name, option in one.options.items()},
            "formula": one.formula,
            "source": one.source,
            "cost": one.cost,
        }
        for one in METRICS.values()
    ]
    if style == "json":
        _print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        better = "higher" if row["higher_is_better"] else "lower"
        options = " ".join(f"{key}={value}" for key, value in row["options"].items())
        _print(
            f"{row['name']:<21}{better:<8}{row['takes']:<15}{row['title']:<38}{options}".rstrip()
        )


def _score(said: argparse.Namespace) -> None:
    from podium_scoring.guess import declared

    chosen = metric(said.metric)
    options = dict(_option(chosen, text) for text in said.option)
    answers, predictions = _read(said.answers), _read(said.predictions)
    grading = declared(
        chosen.name,
        options,
        (said.predictions.name, predictions),
        (said.answers.name, answers),
        said.id_column,
    )
    truth = grading.read_truth(answers, usage=False)
    given = grading.read_predictions(predictions, truth.form)
    found = grading.score(given, truth, seed=said.seed)[chosen.name]["all"]
    _print(json.dumps(_shape(found)) if said.format == "json" else _line(found))


def _shape(score: Score) -> dict[str, Any]:
    return {
        "metric": score.metric,
        "value": score.value,
        "low": score.low,
        "high": score.high,
        "n": score.n,
        "higher_is_better": score.higher_is_better,
        "signature": str(score.signature),
    }


def _line(score: Score) -> str:
    between = "" if score.low is None else f" (95 %: {score.low:.6g} to {score.high:.6g})"
    better = "higher" if score.higher_is_better else "lower"
    return (
        f"{score.metric} {score.value:.6g}{between}, n = {score.n}, {better} is better\n"
        f"{score.signature}"
    )


def _option(chosen: Metric, text: str) -> tuple[str, Any]:
    """KEY=VALUE in the type of the option's default."""
    name, equals, word = text.partition("=")
    if not equals:
        raise ChallengeError(f"The option {text!r} has no value. Write it as KEY=VALUE.")
    kind = type(chosen.options[name].default) if name in chosen.options else str
    words: dict[str, Any] = {"true": True, "false": False}
    try:
        value = words[word.lower()] if kind is bool else kind(word)
    except (KeyError, ValueError):
        value = word
    return name, chosen.checked({name: value})[name]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ChallengeError(f"{path} cannot be read: {error.strerror}.") from None


def _tell(error: ScoringError, style: str) -> None:
    details = [
        {
            "line": one.line,
            "column": one.column,
            "expected": one.expected,
            "got": one.got,
        }
        for one in error.details
    ]
    if style == "json":
        code = "invalid_submission" if isinstance(error, SubmissionError) else "challenge_fault"
        body = {"code": code, "message": error.message, "details": details, "more": error.more}
        _print(json.dumps({"error": body}, ensure_ascii=False))
        return
    sys.stderr.write("\n".join([error.message, *map(str, error.details[1:])]) + "\n")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
