"""What people see of agents: the form, the episodes of a submission, an episode with its replay."""

import contextlib

import numpy as np
import pytest

from podium import attempts, episodes
from podium.desk import Played, Side
from podium.models import Submission
from podium.models.record import now
from podium.referee import Replay


@pytest.fixture
def signed_in(app, factory):
    """A browser of somebody, without scripts."""

    def sign_in(caller):
        client = app.test_client()
        with client.session_transaction() as session:
            session["user_id"], session["epoch"] = caller.id, 0
        return client

    return sign_in


@pytest.fixture
def ada(factory, lander):
    factory.competition("lander", declared=lander)
    return factory.member("ada-01", "lander")


@pytest.fixture
def flown(installation, factory, ada) -> int:
    """A submission that has been flown on all four seeds."""
    submission_id = factory.submit(ada, b"def act", "lander", kind="agent", file_name="agent.py")
    content = Replay("LunarLander-v3", "x", {"action": np.arange(3)}).to_bytes()
    with contextlib.closing(installation.storage.receive(1 << 20)) as incoming:
        incoming.write(content * 4)
        installation.storage.keep(incoming, "replays/one")
    with installation.database.writing() as session:
        lease = attempts.take(session, submission_id, "run", "r1", 60)
        assert lease is not None
        attempts.note_replays(session, lease, "replays/one")
        submission = session.get_one(Submission, submission_id)
        played = [
            Played(n, 3, "done", (Side(submission_id, 100.0 + n, "<b>" * (n == 3)),), len(content))
            for n in (1, 2, 3, 4)
        ]
        episodes.add(installation, session, lease, submission, played)
        submission.started_at = now()
    return submission_id


def test_the_form_says_what_an_agent_is_and_which_packages_there_are(signed_in, ada):
    page = signed_in(ada).get("/c/lander/submit").text
    assert "act(observation, info)" in page
    assert "LunarLander-v3" in page
    assert "packages can be imported" in page
    assert 'name="kind" value="agent"' in page


def test_the_overview_hands_in_an_agent(signed_in, ada):
    page = signed_in(ada).get("/c/lander/").text
    assert "podium submit lander -f agent.zip --kind agent" in page


def test_a_submission_lists_its_public_episodes_with_their_replays(signed_in, ada, flown):
    page = signed_in(ada).get(f"/submissions/{flown}").text
    assert "101.0" in page
    assert "103.0" in page
    assert "102.0" not in page
    assert "after the reveal" in page
    assert 'href="/episodes/1"' in page
    assert "<b>" not in page


def test_an_episode_has_a_page_with_its_player_and_works_without_scripts(signed_in, ada, flown):
    page = signed_in(ada).get("/episodes/1").text
    assert 'data-player="/api/v1/episodes/1/replay"' in page
    assert "podium replay 1" in page
    assert "All 3 steps as JSON" in page
    assert "810" not in page


def test_an_episode_of_the_private_part_has_no_page(signed_in, ada, flown, factory):
    assert signed_in(ada).get("/episodes/2").status_code == 404
    admin = factory.person("root-01", "admin")
    assert signed_in(admin).get("/episodes/2").status_code == 200


def test_memory_of_a_gpu_is_named_where_it_is_asked_for(signed_in, factory):
    resources = {"run": "gpu", "gpu_memory_mib": 16_000}
    factory.competition(spec={"kinds": ["predictions", "code"], "resources": resources})
    page = signed_in(factory.member("ada-01")).get("/c/toy/submit").text
    assert "a GPU with at least 16000 MiB" in page
