import io
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from podium import accounts, competitions
from podium.models import Submission
from podium.models.record import now

KEYS = {
    *("id", "competition", "team", "kind", "file_name", "sha256", "size_bytes", "message"),
    *("state", "verdict", "queue", "received_at", "started_at", "scored_at", "public", "private"),
    *("signature", "selected", "attempts"),
}


@pytest.fixture
def toy(api, factory):
    factory.competition()
    return api.as_(factory.member("ada-01"))


FORM_HEAD = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
    b"Content-Type: text/csv\r\n\r\n"
)


@pytest.fixture
def small_files(installation, toy):
    """The competition takes files of one MiB."""
    with installation.database.writing() as session:
        challenge = competitions.find(session, "toy").challenge
        submission = challenge.spec["submission"] | {"max_file_mib": 1}
        challenge.spec = challenge.spec | {"submission": submission}


def incoming_files(installation):
    return list((installation.storage.root / "incoming").glob("*"))


def test_a_submission_is_answered_with_201_and_its_place_in_the_queue(toy, predictions):
    answer = toy.send(predictions(20), message="first try")
    shown = answer.get_json()
    assert answer.status_code == 201
    assert set(shown) >= KEYS
    assert answer.headers["Location"].endswith(f"/submissions/{shown['id']}")
    assert (shown["state"], shown["message"], shown["queue"]["position"]) == (
        "queued",
        "first try",
        1,
    )
    assert shown["received_at"].endswith("Z")
    assert shown["verdict"] is None


def test_a_scored_submission_shows_its_score_interval_and_signature(toy, predictions):
    submission_id = toy.send(predictions(20)).get_json()["id"]
    toy.judge()
    shown = toy.get(f"/submissions/{submission_id}").get_json()
    assert shown["state"] == "scored"
    assert shown["public"]["accuracy"]["value"] == 1.0
    assert 0.6 < shown["public"]["accuracy"]["low"] < 1.0
    assert shown["private"] is None
    assert "accuracy" in shown["signature"]
    assert shown["verdict"]["code"] == "scored"
    assert shown["verdict"]["counts"] is True
    assert shown["scored_at"].endswith("Z")
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["scored"]


def test_the_host_sees_private_scores_and_every_submission(api, factory, toy, predictions):
    submission_id = toy.send(predictions(20)).get_json()["id"]
    toy.judge()
    admin = api.as_(factory.person("root-01", "admin"))
    shown = admin.get(f"/submissions/{submission_id}").get_json()
    assert shown["private"]["accuracy"]["value"] == 1.0
    assert shown["attempts"][0]["worker"] == "test"
    assert admin.get("/competitions/toy/submissions").get_json()["total"] == 1


INVALID = {
    "wrong columns": ("id,digit\n0,1\n", "label"),
    "missing ids": ("id,label\n0,1\n", "id"),
    "duplicate ids": ("id,label\n" + "".join(f"{i},1\n" for i in [*range(20), 3]), "id"),
    "unknown ids": ("id,label\n" + "".join(f"{i},1\n" for i in range(1, 21)), "id"),
    "words": ("id,label\n" + "".join(f"{i},seven\n" for i in range(20)), "label"),
    "fractions": ("id,label\n" + "".join(f"{i},1.5\n" for i in range(20)), "label"),
    "NaN": ("id,label\n" + "".join(f"{i},nan\n" for i in range(20)), "label"),
    "out of range": ("id,label\n" + "".join(f"{i},12\n" for i in range(20)), "label"),
    "binary junk": (bytes(range(256)) * 20, None),
    "UTF-16": (("id,label\n" + "".join(f"{i},1\n" for i in range(20))).encode("utf-16"), None),
    "semicolons": ("id;label\n" + "".join(f"{i};1\n" for i in range(20)), None),
    "ragged rows": ("id,label\n" + "".join(f"{i},1,2\n" for i in range(20)), None),
    "quoted newlines": ('id,label\n"0\n",1\n', None),
    "a zip": (b"PK\x03\x04" + b"\0" * 100, None),
    "only a header": ("id,label\n", None),
}


@pytest.mark.parametrize("name", INVALID)
def test_a_bad_file_is_invalid_with_its_reason_and_counts_nothing(toy, name):
    content, column = INVALID[name]
    checked = toy.send(content, "/competitions/toy/check").get_json()
    assert (checked["ok"], bool(checked["errors"])) == (False, True)
    answer = toy.send(content)
    assert answer.status_code == 201
    toy.judge()
    shown = toy.get(f"/submissions/{answer.get_json()['id']}").get_json()
    assert (shown["state"], shown["verdict"]["owner"]) == ("invalid", "submitter")
    assert shown["verdict"]["reason"]
    assert 1 <= len(shown["verdict"]["details"]) <= 20
    assert set(shown["verdict"]["details"][0]) == {"line", "column", "expected", "got"}
    if column:
        assert column in str(shown["verdict"]["details"])
    assert toy.get("/competitions/toy/limits").get_json()["used_today"] == 0


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("BOM", lambda text: b"\xef\xbb\xbf" + text.encode()),
        ("CRLF", lambda text: text.replace("\n", "\r\n").encode()),
        ("row order", lambda text: reversed_rows(text).encode()),
    ],
)
def test_what_is_harmless_is_scored(toy, predictions, name, change):
    content = change(predictions(20))
    assert toy.send(content, "/competitions/toy/check").get_json()["ok"] is True
    submission_id = toy.send(content).get_json()["id"]
    toy.judge()
    shown = toy.get(f"/submissions/{submission_id}").get_json()
    assert shown["public"]["accuracy"]["value"] == 1.0, name


def reversed_rows(text):
    head, *rows = text.splitlines()
    return "\n".join([head, *reversed(rows)]) + "\n"


def test_an_empty_file_is_refused_and_nothing_is_kept(toy, installation, error_of):
    error = error_of(toy.send(b""), 400)
    assert error["code"] == "empty"
    assert incoming_files(installation) == []


def test_without_a_file_the_field_is_named(toy, error_of):
    answer = toy.post("/competitions/toy/submissions", data={"message": "x"})
    assert error_of(answer, 400)["details"][0]["column"] == "file"


def test_two_files_are_refused(toy, installation, error_of, predictions):
    form = {"file": [(io.BytesIO(predictions(1).encode()), "a.csv") for _ in range(2)]}
    answer = toy.post("/competitions/toy/submissions", data=form)
    assert "not several" in error_of(answer, 400)["message"]
    assert incoming_files(installation) == []


class Body:
    """A request body without an end that counts what is read of it."""

    def __init__(self):
        self.taken = 0

    def read(self, size=-1):
        assert 0 < size <= 1 << 20, "read in small parts"
        head = FORM_HEAD[self.taken : self.taken + size]
        self.taken += size
        return head + b"0" * (size - len(head))


def send_body(api, body, **environ):
    environ |= {"wsgi.input": body, "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    return api.post("/competitions/toy/submissions", environ_overrides=environ)


def test_a_file_over_the_limit_is_refused_before_it_is_read(toy, small_files, error_of):
    body = Body()
    answer = send_body(toy, body, CONTENT_LENGTH=str(1 << 30))
    assert "1,048,576" in error_of(answer, 413)["message"]
    assert body.taken == 0


def test_a_file_up_to_the_limit_is_taken_whole(toy, small_files):
    def send(size):
        body = FORM_HEAD + b"0" * size + b"\r\n--x--\r\n"
        return toy.post(
            "/competitions/toy/submissions",
            data=body,
            content_type="multipart/form-data; boundary=x",
        )

    answer = send(1 << 20)
    assert (answer.status_code, answer.get_json()["size_bytes"]) == (201, 1 << 20)
    assert send((1 << 20) + 1).status_code == 413


def test_a_body_without_a_file_may_have_one_mebibyte(api, error_of):
    error_of(api.post("/users", json={"handle": "x" * (1 << 20)}), 413)


def test_a_file_of_unknown_length_is_cut_off_at_the_limit(toy, small_files, installation, error_of):
    body = Body()
    answer = send_body(toy, body, **{"wsgi.input_terminated": True})
    assert error_of(answer, 413)["code"] == "too_large"
    assert body.taken < 2 << 20
    assert incoming_files(installation) == []


def test_who_may_not_submit_is_refused_before_the_body_is_read(api, factory, error_of):
    factory.competition()
    body = Body()
    error_of(send_body(api, body, CONTENT_LENGTH="1000"), 401)
    error_of(send_body(api.as_(factory.person("bob-01")), body, CONTENT_LENGTH="1000"), 403)
    assert body.taken == 0


def test_a_body_that_breaks_off_keeps_nothing(toy, installation):
    answer = toy.post(
        "/competitions/toy/submissions",
        data=FORM_HEAD + b"id,label\n0,1",
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 400
    assert incoming_files(installation) == []
    assert toy.get("/competitions/toy/submissions").get_json()["total"] == 0


def test_an_address_that_takes_no_file_refuses_one(toy, error_of):
    assert error_of(toy.send(b"x", "/users"), 400)["code"] == "bad_request"


def test_over_the_limit_is_told_before_the_body_is_read(api, factory, error_of, predictions):
    factory.competition(daily_limit=1)
    ada = api.as_(factory.member("ada-01"))
    assert ada.send(predictions(1)).status_code == 201
    answer = ada.send(predictions(2))
    error = error_of(answer, 429)
    assert error["code"] == "limit_reached"
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400


def test_past_the_deadline_is_told(api, factory, error_of, predictions):
    factory.competition()
    ada = api.as_(factory.member("ada-01"))
    with api.installation.database.writing() as session:
        competitions.find(session, "toy").closes_at = now() - timedelta(seconds=1)
    error = error_of(ada.send(predictions(1)), 403)
    assert error["code"] == "closed"
    assert "deadline" in error["message"]


def test_who_has_not_joined_is_told_so(api, factory, error_of, predictions):
    factory.competition()
    bob = api.as_(factory.person("bob-01"))
    assert error_of(bob.send(predictions(1)), 403)["code"] == "not_joined"


def test_fifty_parallel_uploads_with_one_try_left_make_one_submission(api, factory, predictions):
    factory.competition(daily_limit=1)
    ada = api.as_(factory.member("ada-01"))
    codes = in_parallel(50, lambda _: ada.send(predictions(3)).status_code)
    assert sorted(codes) == [201] + [429] * 49
    assert count(api.installation) == 1
    assert incoming_files(api.installation) == []


def test_the_same_idempotency_key_twenty_times_is_one_submission(
    api, factory, predictions, error_of
):
    factory.competition(daily_limit=1)
    ada = api.as_(factory.member("ada-01"))
    key = {"Idempotency-Key": "k1"}
    answers = in_parallel(20, lambda _: ada.send(predictions(3), headers=key))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert count(api.installation) == 1
    assert error_of(ada.send(predictions(4), headers=key), 409)["code"] == "conflict"


def test_a_cancelled_submission_gives_its_try_back(toy, predictions, error_of):
    submission_id = toy.send(predictions(3)).get_json()["id"]
    assert toy.post(f"/submissions/{submission_id}/cancel").get_json()["state"] == "cancelled"
    assert toy.get("/competitions/toy/limits").get_json()["used_today"] == 0
    assert error_of(toy.post(f"/submissions/{submission_id}/cancel"), 409)["code"] == "conflict"


def test_the_same_file_again_is_told(toy, predictions):
    first = toy.send(predictions(3)).get_json()
    second = toy.send(predictions(3)).get_json()
    assert (first["same_file_as"], second["same_file_as"]) == (None, first["id"])


def test_the_submitted_file_comes_back_byte_for_byte_as_an_attachment(toy, predictions):
    submission_id = toy.send(predictions(3), name="<b>ü.csv").get_json()["id"]
    answer = toy.get(f"/submissions/{submission_id}/file")
    assert answer.text == predictions(3)
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_log_tells_what_happened_line_by_line(toy, predictions):
    submission_id = toy.send(predictions(3)).get_json()["id"]
    toy.judge()
    answer = toy.get(f"/submissions/{submission_id}/log")
    assert answer.mimetype == "text/plain"
    assert [line.split(" ", 2)[-1] for line in answer.text.splitlines()] == [
        "received predictions.csv",
        "scoring (attempt 1)",
        "scored (attempt 1)",
        "scored.",
    ]


def test_the_timeline_and_what_an_attempt_took_are_told(toy, predictions):
    submission_id = toy.send(predictions(3)).get_json()["id"]
    toy.judge()
    shown = toy.get(f"/submissions/{submission_id}").get_json()
    steps = [(step["source"], step["target"], step["attempt"]) for step in shown["timeline"]]
    assert steps == [(None, "queued", 0), ("queued", "scoring", 1), ("scoring", "scored", 1)]
    times = [step["at"] for step in shown["timeline"]]
    assert times == sorted(times)
    (attempt,) = shown["attempts"]
    assert (attempt["outcome"], attempt["owner"]) == ("scored", "submitter")
    assert 0 < attempt["wall_s"] < 10


def test_lists_are_paged_with_a_total(toy, predictions):
    for correct in range(3):
        toy.send(predictions(correct))
    page = toy.get("/competitions/toy/submissions?page=2&per_page=2").get_json()
    assert (page["page"], page["per_page"], page["total"], len(page["items"])) == (2, 2, 3, 1)


def test_a_token_with_read_only_may_check_but_not_submit(api, factory, predictions, error_of):
    factory.competition()
    reader = api.as_(factory.member("ada-01"), "read")
    assert reader.send(predictions(1), "/competitions/toy/check").status_code == 200
    assert "submit" in error_of(reader.send(predictions(1)), 403)["message"]


def test_a_dry_run_keeps_and_counts_nothing(toy, installation, predictions):
    answer = toy.send(predictions(20), "/competitions/toy/check").get_json()
    assert (answer["ok"], answer["errors"], answer["more"]) == (True, [], 0)
    assert count(installation) == 0
    assert incoming_files(installation) == []
    assert toy.get("/competitions/toy/limits").get_json()["used_today"] == 0


def test_the_rules_of_a_file_come_once_until_they_change(toy, installation):
    first = toy.get("/competitions/toy/file-rules")
    tag = {"If-None-Match": first.headers["ETag"]}
    again = toy.get("/competitions/toy/file-rules", headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    with installation.database.writing() as session:
        challenge = competitions.find(session, "toy").challenge
        submission = challenge.spec["submission"] | {"max_file_mib": 1}
        challenge.spec = challenge.spec | {"submission": submission}
    changed = toy.get("/competitions/toy/file-rules", headers=tag)
    assert changed.status_code == 200
    assert changed.json["max_bytes"] == 1 << 20


def test_many_faults_are_twenty_and_a_count(toy):
    content = "id,label\n" + "".join(f"{i},99\n" for i in range(20)) + "x,y\n" * 30
    answer = toy.send(content, "/competitions/toy/check").get_json()
    assert len(answer["errors"]) == 20
    assert answer["more"] > 0


def test_the_scopes_of_the_caller_are_those_of_the_token(api, factory):
    ada = api.as_(factory.person("ada-01"), "read")
    assert ada.get("/me").get_json()["scopes"] == ["read"]
    assert set(accounts.SCOPES) == set(api.as_(factory.person("bob-01")).get("/me").json["scopes"])


def count(installation):
    with installation.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Submission))


def in_parallel(times, act):
    outcomes = [None] * times
    barrier = threading.Barrier(times)

    def run(index):
        barrier.wait()
        outcomes[index] = act(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
