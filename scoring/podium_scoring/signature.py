"""How a number was made, as one line that parses back."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

# Raised when any score could change for the same files; part of every signature.
SCORING_VERSION = "1"

_FORM = re.compile(
    r"(?P<metric>[^|]+)\|answers:(?P<answers>[^|]*)\|options:(?P<options>[^|]*)"
    r"\|with:(?P<made_with>[^|]*)\|scoring:(?P<scoring>[^|]*)\|seed:(?P<seed>\d+)"
)


@dataclass(frozen=True)
class Signature:
    """Metric, options, scoring version, digest of the answers, seed of the interval.

    `made_with` maps libraries to the versions that computed the score, and images to the network
    whose features were compared. No part holds a bar, which parts the line.
    """

    metric: str
    answers: str
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    made_with: Mapping[str, str] = field(default_factory=dict)
    scoring: str = SCORING_VERSION

    def __str__(self) -> str:
        """One line, its parts between bars.

        >>> str(Signature("accuracy", "1f3a"))
        'accuracy|answers:1f3a|options:{}|with:{}|scoring:1|seed:0'
        """
        return (
            f"{self.metric}|answers:{self.answers}|options:{_line(self.options)}"
            f"|with:{_line(self.made_with)}|scoring:{self.scoring}|seed:{self.seed}"
        )

    @classmethod
    def parse(cls, line: str) -> Self:
        """The signature of a line; ValueError if it is none.

        >>> Signature.parse("accuracy|answers:1f3a|options:{}|with:{}|scoring:1|seed:0").answers
        '1f3a'
        """
        match = _FORM.fullmatch(line)
        if match is None:
            raise ValueError(f"{line!r} is no signature.")
        said = match.groupdict()
        return cls(
            said["metric"],
            said["answers"],
            int(said["seed"]),
            json.loads(said["options"]),
            json.loads(said["made_with"]),
            said["scoring"],
        )


def _line(values: Mapping[str, Any]) -> str:
    text = json.dumps(dict(values), sort_keys=True, separators=(",", ":"))
    return text.replace("|", "\\u007c")  # as JSON may write it
