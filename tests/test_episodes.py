"""Hidden seeds and who may see what of an episode."""

import contextlib

import numpy as np
import pytest

from podium import attempts, catalog, episodes
from podium.desk import Played, Side
from podium.errors import NotFoundError
from podium.models import Attempt, Submission
from podium.referee import Replay
from podium_scoring import ChallengeError


@pytest.fixture
def ada(factory, lander):
    factory.competition("lander", declared=lander)
    return factory.member("ada-01", "lander")


@pytest.fixture
def played(installation, factory, ada, lander) -> int:
    """A submission with an episode of each seed; the second and the fourth are private."""
    submission_id = factory.submit(ada, lander[2], "lander", kind="agent", file_name="agent.py")
    contents = [
        Replay("LunarLander-v3", "x", {"action": np.array([number] * number)}).to_bytes()
        for number in (1, 2, 3, 4)
    ]
    with contextlib.closing(installation.storage.receive(1 << 20)) as incoming:
        incoming.write(b"".join(contents))
        installation.storage.keep(incoming, "replays/one")
    with installation.database.writing() as session:
        lease = attempts.take(session, submission_id, "run", "r1", 60)
        assert lease is not None
        assert attempts.note_replays(session, lease, "replays/one")
        submission = session.get_one(Submission, submission_id)
        found = [
            Played(number, number, "done", (Side(submission_id, -10.0 * number),), len(content))
            for number, content in enumerate(contents, 1)
        ]
        episodes.add(installation, session, lease, submission, found)
    return submission_id


def seen(installation, caller, submission_id) -> list[int]:
    with installation.database.reading() as session:
        total, found = episodes.of_submission(session, caller, submission_id)
        assert total == len(found)
        return [one.number for one in found]


def test_a_team_sees_its_public_episodes_and_a_host_all(installation, factory, ada, played):
    admin = factory.person("root-01", "admin")
    assert seen(installation, ada, played) == [3, 1]
    assert seen(installation, admin, played) == [4, 3, 2, 1]


def test_another_team_sees_none(installation, factory, played):
    bob = factory.member("bob-01", "lander")
    with installation.database.reading() as session:
        with pytest.raises(NotFoundError):
            episodes.of_submission(session, bob, played)
        with pytest.raises(NotFoundError):
            episodes.get(session, bob, 1)


def test_a_private_episode_is_not_found_by_its_number(installation, factory, ada, played):
    admin = factory.person("root-01", "admin")
    with installation.database.reading() as session:
        _, found = episodes.of_submission(session, admin, played)
        private = next(one.id for one in found if one.number == 2)
        assert episodes.get(session, admin, private).steps == 2
        with pytest.raises(NotFoundError, match="that you may see"):
            episodes.get(session, ada, private)


def test_a_replay_is_its_stretch_of_the_stored_file(installation, ada, played):
    with installation.database.reading() as session:
        _, (third, first) = episodes.of_submission(session, ada, played)
    assert episodes.replay(installation, first).tracks["action"].tolist() == [1]
    assert episodes.replay(installation, third).tracks["action"].tolist() == [3, 3, 3]


def test_no_row_holds_a_seed(installation, played):
    with installation.database.engine.connect() as connection:
        for table in ("episodes", "players", "attempts", "transitions"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert rows
            assert "810" not in str(rows)


def test_seeds_are_read_for_run_workers_only(installation, played):
    with installation.database.reading() as session:
        challenge = session.get_one(Submission, played).competition.challenge
    assert [one.seed for one in episodes.seeds(installation, challenge)] == [
        *(8101, 8102, 8103, 8104)
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"episode,seed\n1,2\n", b"episode,seed,Usage\n1,x,Public\n", b"id,seed,Usage\n1,2,Y\n"],
)
def test_a_file_that_names_no_seeds_is_the_hosts_fault(toy_spec, lander, content):
    spec = catalog.parse(toy_spec | lander[0])
    with pytest.raises(ChallengeError, match="seed"):
        episodes.read_seeds(spec, content)


def test_the_attempt_knows_its_replays(installation, played):
    with installation.database.reading() as session:
        assert session.get_one(Attempt, 1).replays_key == "replays/one"
