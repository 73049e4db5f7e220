"""Uploads in pieces: the protocol, and that nothing of them is lost, doubled or let in unasked."""

import base64
import hashlib
import random
import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from podium import arrivals, competitions, departure
from podium.models import Arrival, Piece, Submission
from podium.models.record import now

PIECES = "application/offset+octet-stream"
OPEN = "/competitions/toy/uploads"


@pytest.fixture
def toy(api, factory):
    factory.competition()
    return api.as_(factory.member("ada-01"))


def begin(api, size, path=OPEN, **said):
    pairs = [f"{key} {base64.b64encode(text.encode()).decode()}" for key, text in said.items()]
    headers = {"Upload-Length": str(size), "Tus-Resumable": "1.0.0"}
    if pairs:
        headers["Upload-Metadata"] = ",".join(pairs)
    return api.post(path, headers=headers)


def put(api, upload_id, start, content, **headers):
    sent = {"Upload-Offset": str(start), "Content-Type": PIECES, "Tus-Resumable": "1.0.0"}
    return api.call("PATCH", f"/uploads/{upload_id}", data=content, headers=sent | headers)


def stored(installation):
    folder = installation.storage.root / "uploads"
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_in_pieces_becomes_one_submission(toy, installation, predictions):
    content = predictions(20).encode()
    answer = begin(toy, len(content), filename="mine.csv")
    upload_id = answer.get_json()["id"]
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/uploads/{upload_id}")
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    for start in range(0, len(content), 30):
        sent = put(toy, upload_id, start, content[start : start + 30])
        assert sent.status_code == 204
        assert sent.headers["Upload-Offset"] == str(min(len(content), start + 30))
    head = toy.call("HEAD", f"/uploads/{upload_id}")
    assert head.headers["Upload-Offset"] == head.headers["Upload-Length"] == str(len(content))
    assert head.headers["Cache-Control"] == "no-store"

    checked = toy.post("/competitions/toy/check", data={"upload": upload_id}).get_json()
    assert checked["ok"], checked
    made = toy.post("/competitions/toy/submissions", data={"upload": upload_id, "message": "m"})
    shown = made.get_json()
    assert made.status_code == 201
    assert (shown["file_name"], shown["message"]) == ("mine.csv", "m")
    assert shown["sha256"] == hashlib.sha256(content).hexdigest()
    again = toy.post("/competitions/toy/submissions", data={"upload": upload_id}).get_json()
    assert again["id"] == shown["id"]  # the answer was lost, the sender asks once more
    toy.judge()
    assert toy.get(f"/submissions/{shown['id']}").get_json()["state"] == "scored"

    assert arrivals.expire(installation, now()) == 0
    assert arrivals.expire(installation, now() + arrivals.KEPT_TAKEN) == 1
    assert stored(installation) == []
    assert toy.get(f"/submissions/{shown['id']}/file").data == content


def test_any_way_of_cutting_it_gives_the_same_file(toy, installation, predictions):
    content = predictions(20).encode()
    chance = random.Random(7)
    for _ in range(8):
        upload_id = begin(toy, len(content)).get_json()["id"]
        start = 0
        while start < len(content):
            if chance.random() < 0.3:  # a sender who does not know how far it is
                wrong = chance.choice([start + 1, max(0, start - 3), 10**6])
                if wrong != start:
                    assert put(toy, upload_id, wrong, b"zz").status_code == 409
            size = chance.randrange(0, 60)
            piece = content[start : start + size]
            assert put(toy, upload_id, start, piece).status_code == 204
            start = int(toy.call("HEAD", f"/uploads/{upload_id}").headers["Upload-Offset"])
        answer = toy.post("/competitions/toy/check", data={"upload": upload_id}).get_json()
        assert answer["ok"], answer
        toy.call("DELETE", f"/uploads/{upload_id}")
    with installation.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 0
    arrivals.expire(installation, now())
    assert stored(installation) == []


def test_of_two_pieces_for_one_place_one_is_kept(toy, installation):
    upload_id = begin(toy, 200_000).get_json()["id"]
    answers = []
    threads = [
        threading.Thread(
            target=lambda letter=letter: answers.append(
                put(toy, upload_id, 0, letter * 100_000).status_code
            )
        )
        for letter in (b"a", b"b", b"c", b"d")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [204, 409, 409, 409]
    assert len(stored(installation)) == 1
    assert toy.get(f"/uploads/{upload_id}").get_json()["offset_bytes"] == 100_000


def test_what_is_not_whole_or_not_what_was_announced_is_refused(toy, error_of, predictions):
    content = predictions(20).encode()
    upload_id = begin(toy, len(content), filename="a.csv").get_json()["id"]
    put(toy, upload_id, 0, content[:-5])
    answer = toy.post("/competitions/toy/submissions", data={"upload": upload_id})
    said = error_of(answer, 409)["message"]
    assert f"{len(content) - 5} of {len(content)} bytes have come" in said
    assert error_of(put(toy, upload_id, len(content) - 5, content[-5:] + b"x"), 413)
    assert toy.get(f"/uploads/{upload_id}").get_json()["offset_bytes"] == len(content) - 5

    announced = hashlib.sha256(content).hexdigest()
    other = begin(toy, len(content), sha256=announced).get_json()["id"]
    put(toy, other, 0, content.swapcase())
    answer = toy.post("/competitions/toy/submissions", data={"upload": other})
    assert "changed while it was sent" in error_of(answer, 409)["message"]
    assert toy.get(f"/uploads/{other}").status_code == 404
    assert toy.get("/competitions/toy/limits").get_json()["used_today"] == 0


def test_a_refused_beginning_costs_nothing(toy, api, factory, installation, error_of):
    assert "empty" in error_of(begin(toy, 0), 400)["code"]
    assert "limit" in error_of(begin(toy, 10**12), 413)["message"]
    assert "Upload-Length" in error_of(toy.post(OPEN), 400)["message"]
    answer = toy.post(OPEN, headers={"Upload-Length": "5", "Upload-Metadata": "filename %%"})
    assert "base64" in error_of(answer, 400)["message"]
    assert "sha256" in error_of(begin(toy, 5, sha256="zz"), 400)["message"]
    error_of(toy.post(OPEN, headers={"Upload-Length": "5", "Tus-Resumable": "0.2.2"}), 412)
    stranger = api.as_(factory.person("eve-01"))
    error_of(begin(stranger, 5), 403)
    error_of(begin(api, 5), 401)
    upload_id = begin(toy, 5).get_json()["id"]
    error_of(put(toy, upload_id, 0, b"abc", **{"Content-Type": "text/plain"}), 415)
    error_of(put(toy, upload_id, "x", b"abc"), 400)
    with installation.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Arrival)) == 1
        assert session.scalar(select(func.count()).select_from(Piece)) == 0


def test_nobody_reaches_the_upload_of_another(toy, api, factory, error_of):
    upload_id = begin(toy, 5).get_json()["id"]
    bob = api.as_(factory.member("bob-01"))
    error_of(bob.get(f"/uploads/{upload_id}"), 404)
    error_of(put(bob, upload_id, 0, b"abcde"), 404)
    error_of(bob.call("DELETE", f"/uploads/{upload_id}"), 404)
    error_of(bob.post("/competitions/toy/submissions", data={"upload": upload_id}), 404)
    assert bob.get(OPEN).get_json() == {"items": []}
    assert [one["id"] for one in toy.get(OPEN).get_json()["items"]] == [upload_id]


def test_an_upload_serves_the_competition_it_was_sent_to(toy, factory, error_of):
    factory.competition("other")
    upload_id = begin(toy, 5, filename="a.csv").get_json()["id"]
    put(toy, upload_id, 0, b"abcde")
    answer = toy.post("/competitions/other/check", data={"upload": upload_id})
    assert error_of(answer, 409)["message"] == "a.csv was sent to toy, not to other."


def test_one_person_keeps_a_few_and_the_one_that_stood_still_longest_goes(toy, installation):
    made = [begin(toy, 5).get_json()["id"] for _ in range(arrivals.MOST_OPEN)]
    with installation.database.writing() as session:
        for age, upload_id in enumerate(reversed(made)):
            moved = {"moved_at": now() - timedelta(minutes=age)}
            session.execute(update(Arrival).where(Arrival.id == upload_id).values(moved))
    put(toy, made[0], 0, b"ab")  # the oldest goes on
    begin(toy, 5)
    left = {one["id"] for one in toy.get(OPEN).get_json()["items"]}
    assert made[0] in left
    assert made[1] not in left
    assert len(left) == arrivals.MOST_OPEN


def test_what_stands_still_for_a_day_or_whose_owner_leaves_is_deleted(toy, installation, factory):
    for name in ("a.csv", "b.csv"):
        upload_id = begin(toy, 5, filename=name).get_json()["id"]
        put(toy, upload_id, 0, b"abc")
    assert arrivals.expire(installation, now() + timedelta(hours=23)) == 0
    with installation.database.writing() as session:
        departure.leave(session, factory.person("ada-01").id)
    assert arrivals.expire(installation, now()) == 2
    assert stored(installation) == []


def test_the_limit_of_the_day_still_holds_for_what_came_in_pieces(toy, installation, error_of):
    upload_id = begin(toy, 5).get_json()["id"]
    put(toy, upload_id, 0, b"abcde")
    with installation.database.writing() as session:
        competitions.find(session, "toy").daily_limit = 0
    error_of(toy.post("/competitions/toy/submissions", data={"upload": upload_id}), 429)
    assert toy.get(f"/uploads/{upload_id}").get_json()["offset_bytes"] == 5  # for tomorrow


def test_the_protocol_is_described(api, factory):
    factory.competition()
    answer = api.call("OPTIONS", OPEN)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert "creation" in answer.headers["Tus-Extension"]
    assert int(answer.headers["Tus-Max-Size"]) > 1 << 20
