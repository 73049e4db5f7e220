"""The pages of staff: everybody's submissions, participants, and what is downloaded there."""

import csv
import io
import json

import pytest

from podium import competitions
from podium.models import Submission
from podium.models.record import now

MANAGE = "/c/toy/manage"


class Staff:
    """Pages as a person with a token sees them."""

    def __init__(self, app, api, caller):
        self.client = app.test_client(use_cookies=False)
        self.headers = api.as_(caller).headers

    def get(self, path):
        return self.client.get(path, headers=self.headers)

    def post(self, path, **fields):
        return self.client.post(path, data=fields, headers=self.headers)


@pytest.fixture
def host(app, api, factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id)
    return Staff(app, api, caller)


@pytest.fixture
def number(factory, host, predictions):
    """A scored submission of ada, whose message would be a formula in a spreadsheet."""
    found = factory.submit(factory.member("ada-01"), predictions(13), message="=1+1")
    factory.judge(found)
    return found


def rows(answer):
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_list_links_each_row_and_keeps_its_filter_through_an_act(
    host, installation, number, factory, predictions
):
    waiting = factory.submit(factory.member("bob-01"), predictions(1))
    page = host.get(f"{MANAGE}/submissions?state=queued").text
    assert f'href="/submissions/{waiting}"' in page
    assert f'href="/submissions/{number}"' not in page
    answer = host.post(
        f"{MANAGE}/submissions?state=queued&page=1", submission=waiting, verb="cancel", reason="no"
    )
    assert answer.location == f"{MANAGE}/submissions?state=queued&page=1"
    with installation.database.reading() as session:
        assert session.get_one(Submission, waiting).state == "cancelled"


def test_a_submission_is_disqualified_with_a_reason_and_comes_back(host, installation, number):
    act = f"{MANAGE}/submissions"
    assert host.post(act, submission=number, verb="disqualify").status_code == 400
    assert host.post(act, submission=number, verb="disqualify", reason="copied").status_code == 303
    assert "copied" in host.get(act).text
    assert host.post(act, submission=number, verb="reinstate").status_code == 303
    assert "copied" not in host.get(act).text
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        actions = [entry.action for entry, _ in competitions.audited(session, toy, 9)]
    assert actions == ["submission.reinstate", "submission.disqualify"]


def test_what_ended_in_error_runs_again(host, installation, number):
    with installation.database.writing() as session:
        found = session.get_one(Submission, number)
        found.state, found.verdict = "error", "platform_fault"
    host.post(f"{MANAGE}/submissions", submission=number, verb="retry", reason="disk was full")
    with installation.database.reading() as session:
        assert session.get_one(Submission, number).state == "queued"


def test_a_submission_of_elsewhere_is_not_touched(host, factory, number, predictions):
    factory.competition("other", host_id=factory.person("host-01").id)
    elsewhere = factory.submit(factory.member("cy-01", "other"), predictions(1), "other")
    answer = host.post(f"{MANAGE}/submissions", submission=elsewhere, verb="cancel")
    assert answer.status_code == 404


def test_files_hold_what_fits_and_no_formula(host, number):
    (row,) = rows(host.get(f"{MANAGE}/submissions.csv"))
    assert (row["id"], row["public"], row["private"]) == (str(number), "0.6", "0.7")
    assert row["message"] == "'=1+1"
    assert rows(host.get(f"{MANAGE}/submissions.csv?state=queued")) == []
    (same,) = json.loads(host.get(f"{MANAGE}/submissions.json").text)
    assert (same["message"], same["private"]) == ("=1+1", 0.7)
    assert host.get(f"{MANAGE}/submissions.xlsx").status_code == 404


def test_participants_and_boards_are_files_too(host, number):
    (ada,) = rows(host.get(f"{MANAGE}/participants.csv"))
    assert (ada["handle"], ada["submissions"], ada["email"]) == ("ada-01", "1", "")
    (same,) = json.loads(host.get(f"{MANAGE}/participants.json").text)
    assert same["is_leader"] is True
    for style in ("csv", "json"):
        answer = host.get(f"/c/toy/leaderboard/board.{style}?split=private")
        assert "ada-01" in answer.text
        assert f"toy-private.{style}" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "path", ["submissions", "submissions.csv", "participants", "participants.json"]
)
def test_nobody_but_staff_sees_them(app, api, factory, host, number, path):
    for handle in ("ada-01", "host-02"):
        person = Staff(app, api, factory.person(handle, "instructor"))
        assert person.get(f"{MANAGE}/{path}").status_code == 403


def test_the_board_as_a_file_tells_no_private_score_before_the_reveal(
    app, api, factory, host, number, installation
):
    eve = Staff(app, api, factory.person("eve-01"))
    assert eve.get("/c/toy/leaderboard/board.json?split=private").status_code == 403
    with installation.database.writing() as session:
        competitions.find(session, "toy").revealed_at = now()
    assert eve.get("/c/toy/leaderboard/board.json?split=private").status_code == 200


def test_all_that_ended_in_error_is_run_again_by_one_button(host, installation, number):
    assert "Run it again" not in host.get(f"{MANAGE}/submissions").text
    with installation.database.writing() as session:
        found = session.get_one(Submission, number)
        found.state, found.verdict = "error", "platform_fault"
    assert "Run it again" in host.get(f"{MANAGE}/submissions?state=error").text
    host.post(f"{MANAGE}/submissions/retry?state=error", reason="mended")
    with installation.database.reading() as session:
        assert session.get_one(Submission, number).state == "queued"


def test_many_are_changed_after_their_number_was_confirmed(
    host, installation, number, factory, predictions
):
    other = factory.submit(factory.member("bob-01"), predictions(3))
    factory.judge(other)
    acts = f"{MANAGE}/submissions/acts?team=b"
    assert (
        f'form="acts" name="submission" value="{other}"' in host.get(f"{MANAGE}/submissions").text
    )
    asked = host.post(acts, verb="disqualify", which="all", reason="copied")
    assert "Disqualify: 1 submission of 1 team" in asked.text
    with installation.database.reading() as session:
        assert session.get_one(Submission, other).disqualified == ""
    sure = host.post(acts, verb="disqualify", submission=[other], reason="copied", sure="1")
    assert sure.location == f"{MANAGE}/submissions?team=b"
    with installation.database.reading() as session:
        assert session.get_one(Submission, other).disqualified == "copied"
        assert session.get_one(Submission, number).disqualified == ""
    nothing = host.post(acts, verb="cancel", which="chosen", submission=[number])
    assert nothing.status_code == 303


def test_who_asks_to_enter_is_answered_on_the_page_of_participants(
    app, api, host, installation, factory
):
    settings = {"title": "Toy", "time_zone": "UTC", "daily_limit": "5", "asks_first": "1"}
    assert host.post(f"{MANAGE}/competition", **settings).status_code == 303
    ada = Staff(app, api, factory.person("ada-01"))
    assert "Ask to enter" in ada.get("/c/toy/").text
    ada.post("/c/toy/join", message="From the seminar.")
    assert "has not answered yet" in ada.get("/c/toy/").text
    assert "From the seminar." in host.get(f"{MANAGE}/participants").text
    host.post(f"{MANAGE}/participants/1", reason="The course is full.")
    page = ada.get("/c/toy/").text
    assert "The course is full." in page
    assert "Ask again" in page
    ada.post("/c/toy/join", message="Please.")
    host.post(f"{MANAGE}/participants/1", accepts="1")
    assert "Ask again" not in ada.get("/c/toy/").text
    assert "ada-01" in host.get(f"{MANAGE}/participants.csv").text
