"""States a submission goes through and the closed set of verdicts it can end with."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a submission stands; `TRANSITIONS` says where it may go."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    RUNNING = "running"
    SCORING = "scoring"
    SCORED = "scored"
    INVALID = "invalid"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ERROR = "error"


OPEN = frozenset({State.UPLOADING, State.QUEUED, State.RUNNING, State.SCORING})
FINAL = frozenset(State) - OPEN
USES_QUOTA = frozenset({State.SCORED, State.FAILED})
HOLDS_QUOTA = OPEN | USES_QUOTA

# An open state goes on to the next stage, back to the queue (a lost attempt), or to an end.
# Agents that play against each other are scored by their games, without a stage of scoring.
# `error` may be queued again: by the host, or when the fault is mended.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.UPLOADING: frozenset({State.QUEUED, State.INVALID, State.CANCELLED}),
    State.QUEUED: frozenset({State.RUNNING, State.SCORING, State.CANCELLED, State.ERROR}),
    State.RUNNING: frozenset(
        {
            *(State.QUEUED, State.SCORING, State.SCORED),
            *(State.INVALID, State.FAILED, State.CANCELLED, State.ERROR),
        }
    ),
    State.SCORING: frozenset(
        {State.QUEUED, State.SCORED, State.INVALID, State.CANCELLED, State.ERROR}
    ),
    State.ERROR: frozenset({State.QUEUED}),
    **{
        state: frozenset() for state in (State.SCORED, State.INVALID, State.FAILED, State.CANCELLED)
    },
}


@dataclass(frozen=True)
class Meaning:
    """What a verdict says to people: the state it ends in, whose it is, what to do next."""

    state: State
    owner: str  # "submitter", "host" or "platform"
    title: str
    help: str

    @property
    def counts(self) -> bool:
        """Whether a submission with this verdict uses up one of the team's tries."""
        return self.state in USES_QUOTA


class Verdict(StrEnum):
    """The closed set of outcomes; `meaning` explains each."""

    SCORED = "scored"
    INVALID = "invalid"
    EXCEPTION = "exception"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    PROCESS_LIMIT = "process_limit"
    PROTOCOL = "protocol"
    CANCELLED = "cancelled"
    CHALLENGE_FAULT = "challenge_fault"
    PLATFORM_FAULT = "platform_fault"

    @property
    def meaning(self) -> Meaning:
        """The record of owner, help and effect on the quota."""
        return MEANINGS[self]


MEANINGS: dict[Verdict, Meaning] = {
    Verdict.SCORED: Meaning(
        State.SCORED,
        "submitter",
        "Scored",
        "The file was checked and scored. The score is on the board if it is the team's best.",
    ),
    Verdict.INVALID: Meaning(
        State.INVALID,
        "submitter",
        "Invalid",
        "The file breaks the published format, so it was not scored and does not count. "
        "Mend the places listed and submit again; a dry run checks a file at no cost.",
    ),
    Verdict.EXCEPTION: Meaning(
        State.FAILED,
        "submitter",
        "Failed",
        "The code raised an error or ended with a status other than 0. The last lines of its "
        "log show where.",
    ),
    Verdict.TIME_LIMIT: Meaning(
        State.FAILED,
        "submitter",
        "Time limit",
        "The code ran longer than the competition allows. Waiting in the queue does not count.",
    ),
    Verdict.MEMORY_LIMIT: Meaning(
        State.FAILED,
        "submitter",
        "Memory limit",
        "The code needed more memory than the competition allows. Smaller batches often help.",
    ),
    Verdict.OUTPUT_LIMIT: Meaning(
        State.FAILED,
        "submitter",
        "Output limit",
        "The code wrote more than the competition allows, to its log or to disk.",
    ),
    Verdict.PROCESS_LIMIT: Meaning(
        State.FAILED,
        "submitter",
        "Process limit",
        "The code started more processes or threads than the competition allows.",
    ),
    Verdict.PROTOCOL: Meaning(
        State.FAILED,
        "submitter",
        "Protocol",
        "The program did not answer, or did not write, what the rules ask for, in form or in time.",
    ),
    Verdict.CANCELLED: Meaning(
        State.CANCELLED,
        "submitter",
        "Cancelled",
        "Cancelled before a score was recorded. It does not count.",
    ),
    Verdict.CHALLENGE_FAULT: Meaning(
        State.ERROR,
        "host",
        "Error of the challenge",
        "The challenge's answers or metric are at fault, not the file. It does not count; the "
        "host was told and can run it again.",
    ),
    Verdict.PLATFORM_FAULT: Meaning(
        State.ERROR,
        "platform",
        "Error of the platform",
        "Podium could not finish this after several tries. It does not count; the host can run "
        "it again.",
    ),
}
