"""What hosts do: publish a challenge, prepare its data, open it as a competition.

`practice` does it for the challenges that come with Podium, one after the other, and hands in
their trained baselines through the same queue as everyone's submissions.
"""

import contextlib
import logging
import secrets
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, exists, select

from podium import catalog, datasets, paths, submissions
from podium.errors import FaultError
from podium.installation import Installation
from podium.models import Challenge, ChallengeFile, Competition, Submission, Team
from podium.models.record import now
from podium.processes import die_with_parent
from podium.verdicts import HOLDS_QUOTA

BASELINE_TIME_LIMIT_S = 1800
SEED_BITS = 62

log = logging.getLogger(__name__)


def practice(installation: Installation) -> None:
    """Publish every bundled challenge as an open practice competition with its baseline.

    Safe to run at every start: what is there already is left as it is. A challenge that fails
    is marked broken with its reason, and the next one is done.
    """
    specs = catalog.bundled()
    for spec in specs:
        publish(installation, spec)
    for spec in specs:
        try:
            prepare(installation, spec.slug)
            hand_in_baseline(installation, spec)
        except Exception:
            log.exception("%s: preparing failed", spec.slug)
