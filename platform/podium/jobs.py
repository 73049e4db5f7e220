"""The functions that RQ may run: ids in, nothing out. `jobqueue.FUNCTIONS` is the allow-list."""

from podium import judging
from podium.installation import Installation

_installation: Installation | None = None
_worker = ""


def attach(installation: Installation, worker: str) -> None:
    """Tell this process which installation it works for, and under which name."""
    global _installation, _worker
    _installation, _worker = installation, worker


def score(submission_id: int) -> None:
    """Judge a waiting submission of kind predictions."""
    if _installation is None:
        raise RuntimeError("Jobs run in `podium worker`, which attaches an installation first.")
    judging.judge(_installation, _worker, submission_id)
