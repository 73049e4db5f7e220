"""The parameter-free Ladder: a public score that cannot be climbed by asking often.

A new score is shown only if it is better than the best by more than chance explains; else the
old one is shown again, so that small accidents tell nothing. Source: Blum and Hardt 2015.
"""

import math
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from podium_scoring.errors import ChallengeError
from podium_scoring.units import Floats

ROUNDING = 1e-9  # one row more is exactly as much as chance explains


@dataclass(frozen=True)
class Rung:
    """Where a team stands: the score that is shown, and the losses that earned it."""

    shown: float
    losses: Floats
    higher_is_better: bool

    @classmethod
    def first(cls, losses: Floats, *, higher_is_better: bool) -> Self:
        """A team's first submission, which is shown as it is."""
        return cls(float(np.mean(losses)), losses, higher_is_better)

    def after(self, losses: Floats) -> Self:
        """Where the team stands after a submission with these losses (n,).

        With d the differences from the losses of the shown score, it climbs if mean(d) is better
        than 0 by more than std(d) / √n. `Units.losses` are right to first order where the metric
        is no mean. ChallengeError for losses of other units.
        """
        if np.shape(losses) != np.shape(self.losses):
            raise ChallengeError(
                f"There are losses of {np.shape(losses)} after {np.shape(self.losses)}. Compare "
                "submissions on the same units."
            )
        gain = np.asarray(losses) - self.losses
        if not self.higher_is_better:
            gain = -gain
        needed = float(gain.std(ddof=1)) / math.sqrt(len(gain)) if len(gain) > 1 else 0.0
        if float(gain.mean()) > needed * (1 + ROUNDING):
            return replace(self, shown=float(np.mean(losses)), losses=losses)
        return self
