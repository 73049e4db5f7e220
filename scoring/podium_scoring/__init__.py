"""Turns predictions and answers into scores. Pure functions and records; no web, database or queue.

Importing this loads numpy and nothing heavier; a metric's own module comes with its first use.
"""

from podium_scoring.errors import ChallengeError, Detail, ScoringError, SubmissionError
from podium_scoring.metric import Metric
from podium_scoring.registry import METRICS, metric
from podium_scoring.score import Score, compute
from podium_scoring.signature import SCORING_VERSION, Signature

__all__ = [
    "METRICS",
    "SCORING_VERSION",
    "ChallengeError",
    "Detail",
    "Metric",
    "Score",
    "ScoringError",
    "Signature",
    "SubmissionError",
    "compute",
    "metric",
]
