"""Workers as an operator starts them: processes, tokens, devices, draining, and hosts' commands."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from podium.models import Submission, WorkerProcess
from podium.models.record import now

SCRIPT = """
import time
print("begun", flush=True)
time.sleep({seconds})
with open("/out/predictions.csv", "w") as out:
    out.write({text!r})
"""
RUNS = {"kinds": ["predictions", "code"]}


ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def bundle(text: str, seconds: float = 0.0) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("predict.py", SCRIPT.format(text=text, seconds=seconds))
    return packed.getvalue()


def state(installation, submission_id: int) -> str:
    with installation.database.reading() as session:
        return session.get_one(Submission, submission_id).state


def test_code_is_run_by_a_host_without_database_or_storage(
    installation, factory, run_worker, scorer, predictions, until
):
    factory.competition(spec=RUNS)
    ada = factory.member("ada-01")
    run_worker()
    submission_id = factory.submit(ada, bundle(predictions(20)), kind="code")
    until(lambda: state(installation, submission_id) == "scored")
    with installation.database.reading() as session:
        submission = session.get_one(Submission, submission_id)
        assert [row.value for row in submission.evaluations] == [1.0, 1.0]
        assert "begun" in submission.attempts[0].log


@ON_ONE_DATABASE
def test_without_a_sandbox_that_holds_nothing_is_run_and_the_reason_is_told(
    installation, factory, run_worker, signed_in, predictions, until
):
    factory.competition(spec=RUNS)
    ada = factory.member("ada-01")
    submission_id = factory.submit(ada, bundle(predictions(20)), kind="code")
    run_worker(PODIUM_SANDBOX="docker", PODIUM_SANDBOX_IMAGE="nothing")  # no image of this name
    until(lambda: _listed(installation) == ["r1"])
    told = signed_in(ada).run("submission", str(submission_id), "--format", "json")
    queue = json.loads(told.stdout)["queue"]
    assert queue["eta_s"] is None
    assert "docker" in queue["reason"]
    assert state(installation, submission_id) == "queued"


def test_cancelling_ends_what_runs(
    installation, factory, run_worker, signed_in, predictions, until
):
    factory.competition(spec=RUNS)
    ada = factory.member("ada-01")
    worker = run_worker()
    first = factory.submit(ada, bundle(predictions(1), seconds=300), kind="code")
    until(lambda: state(installation, first) == "running")
    begin = time.monotonic()
    assert signed_in(ada).run("cancel", str(first)).returncode == 0
    second = factory.submit(ada, bundle(predictions(2)), kind="code")
    until(lambda: _ran(installation, second))  # the worker is free again
    assert time.monotonic() - begin < 30
    assert worker.poll() is None


def _ran(installation, submission_id: int) -> bool:
    with installation.database.reading() as session:
        return bool(session.get_one(Submission, submission_id).output_key)


@ON_ONE_DATABASE
def test_a_second_sigterm_gives_the_run_back_at_no_cost(
    installation, factory, run_worker, predictions, until
):
    factory.competition(spec=RUNS)
    ada = factory.member("ada-01")
    worker = run_worker()
    submission_id = factory.submit(ada, bundle(predictions(1), seconds=300), kind="code")
    until(lambda: state(installation, submission_id) == "running")
    worker.send_signal(signal.SIGTERM)
    time.sleep(1.5)  # RQ takes two within a second for one
    assert worker.poll() is None  # it would finish what it has in hand
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=30)
    with installation.database.reading() as session:
        submission = session.get_one(Submission, submission_id)
        assert (submission.state, submission.faults) == ("queued", 0)
        assert [row.outcome for row in submission.attempts] == ["returned"]


@ON_ONE_DATABASE
def test_a_killed_run_worker_leaves_nothing_and_its_run_begins_anew(
    installation, factory, run_worker, predictions, until
):
    factory.competition(spec=RUNS)
    ada = factory.member("ada-01")
    worker = run_worker()
    submission_id = factory.submit(ada, bundle(predictions(1), seconds=2), kind="code")
    until(lambda: state(installation, submission_id) == "running")
    worker.kill()
    worker.wait()
    run_worker()
    until(lambda: _ran(installation, submission_id))
    with installation.database.reading() as session:
        outcomes = [row.outcome for row in session.get_one(Submission, submission_id).attempts]
    assert outcomes == ["lost", "ran"]


@ON_ONE_DATABASE
def test_several_processes_empty_one_queue(installation, factory, operator, predictions):
    factory.competition(daily_limit=20)
    for index in range(6):
        factory.submit(factory.member(f"p-{index}"), predictions(index))
    done = operator.run("worker", "--queue", "score", "--processes", "2", "--burst", "--name", "s")
    assert done.returncode == 0, done.stderr
    with installation.database.reading() as session:
        assert session.scalars(select(Submission.state)).all() == ["scored"] * 6
        assert session.scalars(select(WorkerProcess)).all() == []


@ON_ONE_DATABASE
def test_a_worker_that_is_drained_ends_by_itself(installation, operator, until):
    command = [sys.executable, "-P", "-m", "podium.cli", "worker", "--queue", "score"]
    environment = {"PATH": os.environ["PATH"], **operator.variables}
    environment["PODIUM_HOME"] = str(operator.folder / "home")
    with subprocess.Popen([*command, "--name", "w1"], env=environment) as worker:
        until(lambda: _listed(installation) == ["w1"])
        done = operator.run("worker", "drain", "w1")
        assert (done.returncode, done.stdout) == (0, "w1\n")
        assert worker.wait(timeout=30) == 0
    assert _listed(installation) == []


def _listed(installation) -> list[str]:
    with installation.database.reading() as session:
        return list(session.scalars(select(WorkerProcess.name)))


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--queue", "run-gpu"], "lists no GPU here"),
        (["--queue", "score-gpu", "--device", "cuda:3"], "no device 'cuda:3' here"),
        (["--queue", "run"], "needs PODIUM_URL"),
        ([], "Which queue does it serve"),
        (["drain"], "Which workers"),
        (["drain", "w9"], "No worker 'w9' is listed"),
    ],
)
def test_what_cannot_work_is_said_with_what_to_do(operator, words, said):
    operator.variables.pop("PODIUM_URL")
    done = operator.run("worker", *words)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@ON_ONE_DATABASE
def test_the_doctor_says_what_is_missing_and_exits_with_8(operator):
    done = operator.run("doctor")
    assert done.returncode == 8
    assert "WRONG  reconciler: none is online" in done.stdout
    assert "podium reconcile" in done.stdout


def test_hosts_grant_extend_and_run_again(installation, factory, signed_in, predictions):
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id, closes_at=now() + timedelta(days=1), daily_limit=1)
    ada = factory.member("ada-01")
    submission_id = factory.submit(ada, predictions(1))
    shell = signed_in(host)
    words = ["toy", "--team", "ada-01", "--format", "json"]
    granted = shell.run("grant", *words, "--submissions", "2", "--reason", "was ill")
    assert json.loads(granted.stdout)["allowed_now"] == 2
    extended = shell.run("extend", *words, "--until", "2100-01-01T12:00+01:00")
    assert json.loads(extended.stdout)["closes_at"].startswith("2100-01-01T11:00")
    refused = shell.run("retry", str(submission_id))
    assert refused.returncode == 2
    assert "is queued" in refused.stderr
    assert signed_in(ada).run("grant", *words, "--submissions", "2").returncode == 3
