"""Agents from the command line to the replay: alone, against each other, with killed workers."""

import io
import json
import re
import signal
from collections import Counter
from datetime import timedelta
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select, update

from podium import boardclock
from podium.cli.rehearsal import differences
from podium.models import Attempt, Competition, Episode, Submission, WorkerProcess
from podium.models.record import now

ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# Keeps upright and slow by the rule that everybody finds first.
FLIES = """
def act(observation, info):
    x, y, vx, vy, angle, turning, left, right = observation
    lean = min(0.4, max(-0.4, 0.5 * x + vx)) - angle
    turn = 0.5 * lean - turning
    climb = 0.5 * (0.55 * abs(x) - y) - 0.5 * vy
    if left or right:
        turn, climb = 0, -0.5 * vy
    if climb > abs(turn) and climb > 0.05:
        return 2
    if turn < -0.05:
        return 3
    return 1 if turn > 0.05 else 0
"""
FIRST = "def act(o, i):\n    return int(i['legal'].argmax())\n"
THINKS = """
import time
print("up", flush=True)
def act(observation, info):
    time.sleep(0.02)
    return int(info["legal"].argmax()) if "legal" in info else 0
"""
LAST = "def act(o, i):\n    return 6 - int(i['legal'][::-1].argmax())\n"


def read(installation, submission_id: int) -> Submission:
    with installation.database.reading() as session:
        return session.get_one(Submission, submission_id)


def printed(installation, submission_id: int) -> bool:
    """Whether the agent is up, and its worker has said so."""
    with installation.database.reading() as session:
        query = select(Attempt.log).where(Attempt.submission_id == submission_id)
        return any("up" in log for log in session.scalars(query))


def listed(done) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_agent_is_submitted_flown_scored_and_looked_at(
    installation, factory, lander, run_worker, scorer, signed_in
):
    factory.competition("lander", declared=lander)
    shell = signed_in(factory.member("ada-01", "lander"))
    run_worker()
    file = shell.write("agent.py", FLIES)
    done = shell.run(
        *("submit", "lander", "-f", file, "--kind", "agent", "--wait", "50", "--format", "json")
    )
    assert done.returncode == 0, done.stderr
    submission = json.loads(done.stdout)
    assert submission["public"]["mean_return"]["value"] > 0  # it lands; who falls has -100
    assert submission["private"] is None
    found = listed(shell.run("episodes", str(submission["id"]), "--format", "json"))
    assert [one["number"] for one in found] == [3, 1]  # the public ones
    mean = sum(one["score"] for one in found) / 2
    assert submission["public"]["mean_return"]["value"] == pytest.approx(mean)
    made = shell.run("replay", str(found[0]["id"]), "-o", "flight.html")
    assert made.returncode == 0, made.stderr
    page = (shell.folder / "flight.html").read_text()
    assert "LunarLander-v3" in page
    assert '"observation": [[' in page
    assert "function play(" in page
    assert "8103" not in page


@ON_ONE_DATABASE
def test_an_agent_is_handed_in_and_looked_at_on_the_pages(
    app, installation, factory, lander, run_worker, scorer, until
):
    factory.competition("lander", declared=lander)
    ada = factory.member("ada-01", "lander")
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["user_id"], session["epoch"] = ada.id, 0
    run_worker()
    form = browser.get("/c/lander/submit").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', form)[1]
    file = (io.BytesIO(FLIES.encode()), "agent.py")
    sent = {"csrf_token": token, "kind": "agent", "file": file}
    assert browser.post("/c/lander/submit", data=sent).status_code == 303
    until(lambda: read(installation, 1).state == "scored")
    page = browser.get("/submissions/1").text
    links = re.findall(r'href="(/episodes/\d+)"', page)
    assert len(links) == 2  # the public ones
    assert "data-player" in browser.get(links[0]).text
    assert "ada-01" in browser.get("/c/lander/leaderboard").text


def test_two_agents_meet_and_are_rated(installation, factory, duel, run_worker, signed_in, until):
    factory.competition("duel", declared=duel)
    run_worker("match")
    ids = {}
    for name, code in (("ada-01", FIRST), ("bob-01", LAST)):
        shell = signed_in(factory.member(name, "duel"))
        file = shell.write(f"{name}.py", code)
        words = ("submit", "duel", "-f", file, "--kind", "agent", "--wait", "50")
        done = shell.run(*words, "--format", "json")
        assert done.returncode == 0, done.stderr
        ids[name] = json.loads(done.stdout)["id"]
    games = listed(shell.run("episodes", str(ids["bob-01"]), "--format", "json"))
    assert len(games) == 1 + 8
    assert [one["opponent"] for one in games] == ["ada-01"] * 8 + ["bob-01"]
    board = listed(shell.run("leaderboard", "duel", "--format", "json"))
    assert {row["team"] for row in board} == {"ada-01", "bob-01"}
    assert sum(row["score"] for row in board) == pytest.approx(2000)
    made = shell.run("replay", str(games[0]["id"]))
    assert made.returncode == 0, made.stderr
    assert "connect-four" in (shell.folder / made.stdout.strip()).read_text()


@ON_ONE_DATABASE
def test_a_worker_killed_in_the_middle_of_a_round_counts_nothing_twice(
    installation, factory, duel, run_worker, until
):
    factory.competition("duel", declared=duel)
    first = factory.submit(factory.member("ada-01", "duel"), FIRST, "duel", kind="agent")
    worker = run_worker("match")
    until(lambda: read(installation, first).state == "scored")
    second = factory.submit(factory.member("bob-01", "duel"), THINKS, "duel", kind="agent")
    until(lambda: printed(installation, second))
    inside = psutil.Process(worker.pid).children(recursive=True)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert psutil.wait_procs(inside, timeout=5)[1] == []  # no agent plays on
    run_worker("match")  # of the same name: what it held is given back at once
    until(lambda: read(installation, second).state == "scored")
    with installation.database.reading() as session:
        outcomes = session.scalars(
            select(Attempt.outcome).where(Attempt.submission_id == second).order_by(Attempt.number)
        ).all()
        assert outcomes == ["lost", "scored"]
        assert session.scalar(select(func.count()).select_from(Episode)) == 1 + 1 + 8


@ON_ONE_DATABASE
def test_a_final_whose_worker_is_killed_loses_and_doubles_no_game(
    installation, factory, duel, run_worker, until, signed_in
):
    factory.competition("duel", declared=duel, final_games=4)
    agents = []
    worker = run_worker("match")
    for name, code in (("ada-01", FIRST), ("bob-01", LAST), ("cyd-01", THINKS)):
        member = factory.member(name, "duel")
        agents.append(factory.submit(member, code, "duel", kind="agent"))
        until(lambda: read(installation, agents[-1]).state == "scored")
    with installation.database.writing() as session:
        session.execute(update(Competition).values(closes_at=now() - timedelta(seconds=1)))
    boardclock.tick(installation, now())

    def twins() -> list[Submission]:
        with installation.database.reading() as session:
            query = select(Submission).where(Submission.original_id.is_not(None))
            return list(session.scalars(query.order_by(Submission.id)))

    assert [one.original_id for one in twins()] == agents  # each hosts one of the three pairs
    for _ in twins():
        installation.queue.wake("match")
    killed = next(one.id for one in twins() if one.original_id == agents[2])
    until(lambda: printed(installation, killed))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    boardclock.tick(installation, now())  # a second start, in the middle
    run_worker("match")
    until(lambda: {one.state for one in twins()} == {"scored"})
    boardclock.tick(installation, now())
    with installation.database.reading() as session:
        assert session.scalars(select(Competition.revealed_at)).one() is not None
        games = session.scalars(select(Episode).where(Episode.split == "private")).all()
        met = Counter(tuple(one.submission_id for one in game.players) for game in games)
        outcomes = select(Attempt.outcome).where(Attempt.submission_id == killed)
        assert session.scalars(outcomes.order_by(Attempt.number)).all() == ["lost", "scored"]
    assert met == {(one, other): 2 for one in agents for other in agents if one != other}
    shell = signed_in(factory.person("ada-01"))
    done = shell.run("matches", "duel", "--final", "--format", "json")
    assert len(listed(done)) == 12
    assert "Final round: 12 of 12 games." in done.stderr
    table = shell.run("matches", "duel", "--matrix").stdout.splitlines()
    assert table[0].split() == ["place", "agent", "rating", "1", "2", "3"]
    pairs = listed(shell.run("matches", "duel", "--matrix", "--format", "json"))
    assert len(pairs) == 6
    assert all(pair["games"] >= 4 for pair in pairs)


@ON_ONE_DATABASE
def test_a_flight_whose_worker_was_killed_is_flown_again(
    installation, factory, lander, run_worker, scorer, until
):
    factory.competition("lander", declared=lander)
    ada = factory.member("ada-01", "lander")
    worker = run_worker()
    flown = factory.submit(ada, THINKS, "lander", kind="agent", file_name="agent.py")
    until(lambda: printed(installation, flown))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    run_worker()
    until(lambda: read(installation, flown).state == "scored")
    with installation.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Episode)) == 4


@ON_ONE_DATABASE
def test_a_worker_keeps_sandboxes_warm_says_so_and_leaves_none(
    installation, factory, duel, run_worker, until
):
    factory.competition("duel", declared=duel)
    worker = run_worker("match", PODIUM_WARM_SANDBOXES="2", PODIUM_WARM_MIB="2000")
    first = factory.submit(factory.member("ada-01", "duel"), FIRST, "duel", kind="agent")
    until(lambda: read(installation, first).state == "scored")
    until(lambda: listed_worker(installation).warm == 2)
    assert listed_worker(installation).warm_mib > 2 * 20
    inside = psutil.Process(worker.pid).children(recursive=True)
    assert len(inside) >= 2
    worker.kill()
    worker.wait()
    _, left = psutil.wait_procs(inside, timeout=5)
    assert left == []


def listed_worker(installation) -> WorkerProcess:
    with installation.database.reading() as session:
        return session.scalars(select(WorkerProcess)).one()


AGENT_RUNS = [
    (["--episodes", "2"], FLIES, 0, "Mean return"),
    (["--episodes", "1"], "def act(o, i):\n    return 7\n", 7, "The action is 7"),
]


@ON_ONE_DATABASE
@pytest.mark.parametrize(("words", "code", "status", "said"), AGENT_RUNS)
def test_an_agent_is_tried_on_this_machine(factory, lander, signed_in, words, code, status, said):
    factory.competition("lander", declared=lander)
    shell = signed_in(factory.member("ada-01", "lander"))
    done = shell.run("run", "lander", "-f", shell.write("agent.py", code), *words)
    assert (done.returncode, said in done.stderr) == (status, True), done.stderr
    assert done.stdout.splitlines()[0].split() == ["seed", "score", "steps", "result", "fault"]


@ON_ONE_DATABASE
def test_agents_are_tried_against_each_other(factory, duel, signed_in):
    factory.competition("duel", declared=duel)
    shell = signed_in(factory.member("ada-01", "duel"))
    words = ["-f", shell.write("one.py", FIRST), "--against", shell.write("two.py", LAST)]
    games = listed(shell.run("run", "duel", *words, "--episodes", "2", "--format", "json"))
    assert len(games) == 4


@ON_ONE_DATABASE
def test_code_is_run_here_as_on_the_server(factory, signed_in, predictions):
    factory.competition(spec={"kinds": ["predictions", "code"], "run": {"inputs": ["test.csv"]}})
    factory.offer("test.csv", b"id\n1\n2\n")
    shell = signed_in(factory.member("ada-01"))
    code = "print(open('/data/test.csv').read())\nopen('/out/predictions.csv', 'w').write('id')\n"
    file = shell.write("predict.py", code)
    done = shell.run("run", "toy", "-f", file, "-o", "out.csv")
    assert done.returncode == 0, done.stderr
    assert (shell.folder / "out.csv").read_text() == "id"
    assert (shell.folder / "toy" / "test.csv").exists()
    assert "id\n1\n" in done.stderr


def test_packages_that_differ_are_named():
    published = {"python": "3.12.1", "numpy": "2.4.6", "Typing_Extensions": "4.1", "podium": "1"}
    local = {"python": "3.12.1", "numpy": "2.0.0", "typing-extensions": "4.1"}
    assert differences(published, local) == ["numpy: 2.4.6 on the server, 2.0.0 here."]
    assert differences({"torch": "2.13.0"}, {}) == [
        "torch: 2.13.0 on the server, not installed here."
    ]
