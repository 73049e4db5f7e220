"""The tables, one module per noun. Only columns, keys and relations: rules live beside the noun."""

from podium.models.account import Identity, Proof, SignIn, Token, User
from podium.models.allowance import Extension, Grant
from podium.models.announcement import Announcement
from podium.models.arrival import Arrival, Piece
from podium.models.audit import AuditEntry
from podium.models.board import BoardEntry, BoardSegment
from podium.models.challenge import Challenge, ChallengeFile
from podium.models.competition import (
    Competition,
    EntryRequest,
    Invitation,
    Membership,
    MergeRequest,
    Team,
)
from podium.models.course import Course, Enrolment, JoinRequest
from podium.models.discussion import Post, Thread
from podium.models.episode import Episode, Finalist, Player
from podium.models.grade import Grade, GradeScheme
from podium.models.mail import Mail
from podium.models.notification import Notification
from podium.models.record import Record
from podium.models.rescoring import Rescoring
from podium.models.result import Result
from podium.models.submission import Attempt, Evaluation, Submission, Transition
from podium.models.turn import Turn
from podium.models.worker import WorkerProcess

__all__ = [
    "Announcement",
    "Arrival",
    "Attempt",
    "AuditEntry",
    "BoardEntry",
    "BoardSegment",
    "Challenge",
    "ChallengeFile",
    "Competition",
    "Course",
    "Enrolment",
    "EntryRequest",
    "Episode",
    "Evaluation",
    "Extension",
    "Finalist",
    "Grade",
    "GradeScheme",
    "Grant",
    "Identity",
    "Invitation",
    "JoinRequest",
    "Mail",
    "Membership",
    "MergeRequest",
    "Notification",
    "Piece",
    "Player",
    "Post",
    "Proof",
    "Record",
    "Rescoring",
    "Result",
    "SignIn",
    "Submission",
    "Team",
    "Thread",
    "Token",
    "Transition",
    "Turn",
    "User",
    "WorkerProcess",
]
