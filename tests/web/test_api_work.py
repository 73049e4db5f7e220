"""The protocol of run workers: what they are given, and what is taken from them."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from podium import accounts, judging
from podium.accounts import Caller
from podium.models import Attempt, Submission, WorkerProcess
from podium.reconciler import reconcile

CODE = {"kinds": ["predictions", "code"], "run": {"inputs": ["test.npz"]}}
BUNDLE = b"PK bundle"
CARD = {"queue": "run", "host": "h1", "pid": 7, "version": "1"}


@dataclass
class Hand:
    """A run worker, by hand: one request at a time."""

    api: Any
    name: str = "r1"
    card: dict[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, Any]:
        return CARD | {"name": self.name} | self.card

    def arrive(self):
        assert self.api.post("/work/workers", json=self.shown).status_code == 204

    def take(self) -> dict[str, Any] | None:
        answer = self.api.post("/work/assignments", json=self.shown)
        assert answer.status_code == 200, answer.text
        items = answer.get_json()["items"]
        return items[0] if items else None

    def beat(self, token: str | None = None, log: str | None = None) -> dict[str, Any]:
        asked = {"card": self.shown, "token": token, "log": log}
        return self.api.post("/work/beats", json=asked).get_json()

    def of(self, token: str, method: str, path: str, **request: Any):
        return self.api.call(method, f"/work/{path}", headers={"Podium-Attempt": token}, **request)

    def bring(self, token: str, content: str):
        return self.of(token, "PUT", "output", data=content.encode())

    def report(self, token: str, outcome: str, **said: Any):
        return self.of(token, "POST", "report", json={"outcome": outcome} | said)


@pytest.fixture
def hand(api, installation, factory) -> Hand:
    admin = factory.person("admin-01", "admin")
    with installation.database.writing() as session:
        text = accounts.create_token(session, admin.id, "runs", ["work"])[1]
    return Hand(type(api)(api.app, installation, {"Authorization": f"Bearer {text}"}))


@pytest.fixture
def ada(factory) -> Caller:
    factory.competition(spec=CODE)
    factory.offer("test.npz", b"inputs")
    factory.offer("train.npz", b"other")
    return factory.member("ada-01")


@pytest.fixture
def submission_id(factory, ada) -> int:
    return factory.submit(ada, BUNDLE, kind="code", file_name="bundle.zip")


def read(installation, submission_id) -> Submission:
    with installation.database.reading() as session:
        return session.get_one(Submission, submission_id)


def attempts_of(installation) -> list[tuple[str, str | None]]:
    with installation.database.reading() as session:
        return [
            (row.stage, row.outcome)
            for row in session.scalars(select(Attempt).order_by(Attempt.number))
        ]


def test_an_assignment_names_what_is_to_be_run_and_nothing_hidden(hand, submission_id):
    assignment = hand.take()
    assert assignment["submission_id"] == submission_id
    assert (assignment["kind"], assignment["file_name"]) == ("code", "bundle.zip")
    assert assignment["sha256"] == hashlib.sha256(BUNDLE).hexdigest()
    assert [file["name"] for file in assignment["inputs"]] == ["test.npz"]
    assert assignment["run"]["limits"]["wall_s"] == 300
    assert "answers" not in str(assignment)
    assert hand.take() is None


def test_file_and_inputs_come_with_the_token_and_nothing_else_does(hand, submission_id):
    token = hand.take()["token"]
    assert hand.of(token, "GET", "file").data == BUNDLE
    assert hand.of(token, "GET", "inputs/test.npz").data == b"inputs"
    assert hand.of(token, "GET", "inputs/train.npz").status_code == 403
    assert hand.of(token, "GET", "inputs/answers.csv").status_code == 403


def test_a_hidden_input_goes_to_runs_and_to_nobody_else(hand, factory, api):
    factory.competition("draws", spec=CODE | {"run": {"hidden": ["seeds.npz"]}})
    factory.offer("train.npz", b"for all", "draws")
    factory.offer("seeds.npz", b"seeds", "draws", part="private")
    ada = factory.member("ada-01", "draws")
    factory.submit(ada, BUNDLE, "draws", kind="code")
    assert hand.of(hand.take()["token"], "GET", "inputs/seeds.npz").data == b"seeds"
    listed = api.get("/competitions/draws/files").get_json()["items"]
    assert [file["name"] for file in listed] == ["train.npz"]
    assert api.as_(ada).get("/competitions/draws/files/seeds.npz").status_code == 404


def test_what_a_run_wrote_is_scored_as_a_file_would_be(
    hand, installation, submission_id, predictions
):
    token = hand.take()["token"]
    assert read(installation, submission_id).state == "running"
    assert hand.bring(token, predictions(15)).status_code == 204
    answer = hand.report(token, "ran", wall_s=2.5, cpu_s=2.0, memory_bytes=1 << 20, log="done\n")
    assert answer.get_json() == {"is_taken": True}
    waiting = read(installation, submission_id)
    assert (waiting.state, waiting.queue) == ("queued", "score")
    judging.judge(installation, judging.take(installation, "score", "w1"))
    ended = read(installation, submission_id)
    assert (ended.state, ended.attempt) == ("scored", 2)
    assert attempts_of(installation) == [("run", "ran"), ("score", "scored")]
    with installation.database.reading() as session:
        run = session.scalars(select(Attempt).where(Attempt.stage == "run")).one()
    assert (run.wall_s, run.cpu_s, run.memory_bytes, run.log) == (2.5, 2.0, 1 << 20, "done\n")


def test_a_run_is_not_done_before_its_output_is_here(hand, installation, submission_id):
    token = hand.take()["token"]
    assert hand.report(token, "ran").status_code == 400
    assert read(installation, submission_id).state == "running"


@pytest.mark.parametrize(
    "cause",
    ["exception", "time_limit", "memory_limit", "output_limit", "process_limit", "protocol"],
)
def test_a_breach_of_the_students_is_failed_with_its_cause(
    hand, installation, submission_id, cause
):
    token = hand.take()["token"]
    hand.report(token, cause, reason="It ran 61 s; 60 s are allowed.", log="last words\n")
    ended = read(installation, submission_id)
    assert (ended.state, ended.verdict) == ("failed", cause)
    assert ended.reason == "It ran 61 s; 60 s are allowed."


def test_a_fault_of_ours_is_tried_again_and_ends_in_error(hand, installation, submission_id):
    for _ in range(3):
        with installation.database.writing() as session:
            session.get_one(Submission, submission_id).not_before = None
        hand.report(hand.take()["token"], "fault", reason="no space left")
    ended = read(installation, submission_id)
    assert (ended.state, ended.verdict) == ("error", "platform_fault")


def test_a_worker_that_was_asked_to_end_gives_back_without_a_fault(
    hand, installation, submission_id
):
    hand.report(hand.take()["token"], "returned")
    waiting = read(installation, submission_id)
    assert (waiting.state, waiting.faults) == ("queued", 0)
    assert hand.take()["number"] == 2


def test_a_dead_attempt_can_neither_bring_nor_report(
    hand, installation, submission_id, predictions
):
    old = hand.take()["token"]
    hand.report(old, "returned")
    new = hand.take()["token"]
    assert hand.bring(old, predictions(20)).status_code == 409
    assert hand.of(old, "GET", "file").status_code == 409
    assert hand.report(old, "exception").get_json() == {"is_taken": False}
    assert read(installation, submission_id).state == "running"
    assert hand.beat(old)["is_in_force"] is False
    assert hand.beat(new)["is_in_force"] is True


def test_a_cancelled_run_is_told_at_the_next_heartbeat(hand, api, ada, installation, submission_id):
    token = hand.take()["token"]
    assert api.as_(ada).post(f"/submissions/{submission_id}/cancel").status_code == 200
    assert hand.beat(token)["is_in_force"] is False
    assert hand.report(token, "exception").get_json() == {"is_taken": False}
    assert read(installation, submission_id).state == "cancelled"


def test_the_end_of_the_log_can_be_read_while_it_runs(hand, api, ada, submission_id):
    token = hand.take()["token"]
    hand.beat(token, "epoch 1\nepoch 2\n")
    assert "epoch 2" in api.as_(ada).get(f"/submissions/{submission_id}/log").text


def test_a_worker_that_starts_again_gives_back_what_it_held(hand, installation, submission_id):
    hand.arrive()
    hand.take()
    hand.arrive()
    waiting = read(installation, submission_id)
    assert (waiting.state, waiting.faults) == ("queued", 1)
    assert installation.queue.depth("run") == 2


def test_a_silent_worker_loses_its_attempt(hand, installation, submission_id):
    hand.take()
    with installation.database.writing() as session:
        attempt = session.scalars(select(Attempt)).one()
        attempt.lease_until = attempt.started_at
    assert reconcile(installation).reclaimed == 1
    assert read(installation, submission_id).state == "queued"


def test_a_worker_in_trouble_is_given_nothing_and_says_why(
    hand, installation, submission_id, api, ada
):
    hand.card = {"trouble": "The sandbox does not work here."}
    hand.arrive()
    assert hand.take() is None
    queue = api.as_(ada).get(f"/submissions/{submission_id}").get_json()["queue"]
    assert queue["eta_s"] is None
    assert "sandbox does not work" in queue["reason"]


def test_where_no_sandbox_holds_code_is_refused_and_predictions_are_not(
    hand, api, ada, predictions
):
    hand.card = {"trouble": "The sandbox does not work here."}
    hand.arrive()
    refused = api.as_(ada).send(BUNDLE, name="b.zip", kind="code")
    assert refused.status_code == 403
    assert "The sandbox does not work here." in refused.get_json()["error"]["message"]
    assert api.as_(ada).send(predictions(3)).status_code == 201


def test_a_worker_is_listed_with_its_device(hand, installation):
    hand.card = {"queue": "run-gpu", "device": "NVIDIA T4", "memory_mib": 15360, "tags": ["a"]}
    hand.arrive()
    with installation.database.reading() as session:
        row = session.scalars(select(WorkerProcess)).one()
    assert (row.queue, row.device, row.memory_mib, row.tags) == (
        "run-gpu",
        "NVIDIA T4",
        15360,
        ["a"],
    )
    hand.api.call("DELETE", "/work/workers/r1")
    with installation.database.reading() as session:
        assert session.scalars(select(WorkerProcess)).all() == []


def test_a_forged_token_is_refused(hand, submission_id):
    token = hand.take()["token"]
    assert hand.of(token[:-2] + "xx", "GET", "file").status_code == 403
    assert hand.of("", "GET", "file").status_code == 403
    assert hand.api.get("/work/file").status_code == 403


@pytest.mark.parametrize("role", ["student", "instructor", "admin"])
def test_no_token_of_a_person_is_one_of_a_worker(api, factory, submission_id, role):
    person = api.as_(factory.person(f"{role}-02", role))
    answer = person.post("/work/assignments", json=CARD | {"name": "x"})
    assert answer.status_code == 403
    assert "'work'" in answer.get_json()["error"]["message"]


def test_only_admins_can_make_a_token_for_workers(api, installation, factory):
    instructor = factory.person("host-02", "instructor")
    answer = api.as_(instructor, "read")
    with pytest.raises(Exception, match="Only admins"):
        answer.as_(instructor, "work")


def test_an_output_over_the_limit_is_refused(hand, submission_id):
    token = hand.take()["token"]
    assert hand.bring(token, "x" * (21 << 20)).status_code == 413
    assert hand.bring(token, "").status_code == 400


GPU = CODE | {"resources": {"run": "gpu", "gpu_memory_mib": 16_000, "tags": ["fast"]}}


@pytest.mark.parametrize(
    ("card", "fits"),
    [
        ({"memory_mib": 16_000, "tags": ["fast"]}, True),
        ({"memory_mib": 8_000, "tags": ["fast"]}, False),
        ({"memory_mib": 80_000, "tags": []}, False),
    ],
)
def test_a_challenge_may_ask_for_memory_and_tags_of_a_gpu(hand, factory, card, fits):
    factory.competition(spec=GPU)
    factory.submit(factory.member("ada-01"), BUNDLE, kind="code")
    hand.card = {"queue": "run-gpu", "device": "a GPU"} | card
    hand.arrive()
    assert (hand.take() is not None) is fits


def test_who_waits_for_a_gpu_that_is_not_there_is_told_which(hand, api, factory):
    factory.competition(spec=GPU)
    ada = factory.member("ada-01")
    waiting = factory.submit(ada, BUNDLE, kind="code")
    hand.card = {"queue": "run-gpu", "device": "a GPU", "memory_mib": 8_000}
    hand.arrive()
    queue = api.as_(ada).get(f"/submissions/{waiting}").get_json()["queue"]
    assert queue["reason"] == (
        "It waits for a GPU with 16 GB and the tag 'fast'; none is online. "
        "It starts as soon as one is."
    )
    assert queue["eta_s"] is None


@pytest.mark.parametrize(("is_online", "queue"), [(True, "run-gpu"), (False, "run")])
def test_where_a_cpu_will_do_it_is_used_when_no_gpu_is_online(
    hand, installation, factory, is_online, queue
):
    factory.competition(spec=CODE | {"resources": {"run": "gpu-or-cpu"}})
    if is_online:
        hand.card = {"queue": "run-gpu", "device": "a GPU"}
        hand.arrive()
    waiting = factory.submit(factory.member("ada-01"), BUNDLE, kind="code")
    assert read(installation, waiting).queue == queue
