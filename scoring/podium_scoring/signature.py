"""How a number was made, as one line that parses back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

# Raised when any score could change for the same files; part of every signature.
SCORING_VERSION = "1"


@dataclass(frozen=True)
class Signature:
    """Metric, options, scoring version, digest of the answers, seed of the interval."""

    metric: str
    answers: str
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    scoring: str = SCORING_VERSION

    def __str__(self) -> str:
        """One line such as `accuracy|answers:1f3a|options:{}|scoring:1|seed:0`.

        >>> str(Signature("accuracy", "1f3a"))
        'accuracy|answers:1f3a|options:{}|scoring:1|seed:0'
        """
        options = json.dumps(dict(self.options), sort_keys=True, separators=(",", ":"))
        return (
            f"{self.metric}|answers:{self.answers}|options:{options}"
            f"|scoring:{self.scoring}|seed:{self.seed}"
        )

    @classmethod
    def parse(cls, line: str) -> Self:
        """The signature of a line; ValueError if it is none.

        >>> Signature.parse("accuracy|answers:1f3a|options:{}|scoring:1|seed:0").answers
        '1f3a'
        """
        head, seed = line.rsplit("|seed:", 1)
        head, scoring = head.rsplit("|scoring:", 1)
        metric, rest = head.split("|answers:", 1)
        answers, options = rest.split("|options:", 1)
        return cls(metric, answers, int(seed), json.loads(options), scoring)
