"""The HTTP API from Python: what the command line uses, and notebooks may.

Answers are the API's own dictionaries, typed in `podium.client.answers`. Listings are iterators
that fetch page after page. Nothing here may import the server: a client starts in 0.1 s and needs
urllib3 alone.
"""

from podium.client.account import Account
from podium.client.boards import Boards
from podium.client.competitions import Competitions
from podium.client.courses import Courses
from podium.client.discussion import Discussion
from podium.client.hosting import Hosting
from podium.client.operation import Operation
from podium.client.problem import ProblemError
from podium.client.refereeing import Refereeing
from podium.client.submissions import OPEN_STATES
from podium.client.teams import Teams
from podium.client.transport import MOST_PER_PAGE, Answer, persist, sha256_of
from podium.login import Profile

__all__ = ["MOST_PER_PAGE", "OPEN_STATES", "Answer", "Client", "ProblemError", "connect"]
__all__ += ["persist", "sha256_of"]


class Client(
    Account,
    Competitions,
    Boards,
    Teams,
    Discussion,
    Hosting,
    Refereeing,
    Courses,
    Operation,
):
    """One server and, unless it is None, the token of who calls it."""


def connect() -> Client:
    """The server and the token that `podium login` has kept, or PODIUM_URL and PODIUM_TOKEN."""
    return Client(*Profile.load().in_force())
