"""The tables, one module per noun. Only columns, keys and relations: rules live beside the noun."""

from podium.models.account import Token, User
from podium.models.allowance import Extension, Grant
from podium.models.audit import AuditEntry
from podium.models.board import BoardEntry, BoardSegment
from podium.models.challenge import Challenge, ChallengeFile
from podium.models.competition import Competition, Membership, Team
from podium.models.episode import Episode, Player
from podium.models.record import Record
from podium.models.submission import Attempt, Evaluation, Submission, Transition
from podium.models.turn import Turn
from podium.models.worker import WorkerProcess

__all__ = [
    "Attempt",
    "AuditEntry",
    "BoardEntry",
    "BoardSegment",
    "Challenge",
    "ChallengeFile",
    "Competition",
    "Episode",
    "Evaluation",
    "Extension",
    "Grant",
    "Membership",
    "Player",
    "Record",
    "Submission",
    "Team",
    "Token",
    "Transition",
    "Turn",
    "User",
    "WorkerProcess",
]
