"""Nobody learns of private scores before the reveal: two worlds that differ in them look alike."""

import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from podium import boardclock, competitions, rescoring, uncertainty
from podium.models import Competition, Submission, Transition
from podium.models.record import now
from podium.revision import Revision

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PEOPLE = ("ada-01", "bob-01", "cy-01")
ROWS = range(20)
# What each team hands in: how many of ten public rows are right, how many of ten private ones
# in one world and in the other.
FILES = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.integers(0, 10), st.integers(0, 10), st.integers(0, 10)),
    min_size=2,
    max_size=5,
)
# Times, digests and numbers that differ between two competitions in one database anyway.
NOISE = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(\+00:00|Z)?"), "TIME"),
    (re.compile(r"\d+ \w+ \d{4}, \d\d:\d\d UTC|\d+ \w{3} \d\d:\d\d"), "TIME"),
    (re.compile(r"in \d+ \w+|just now|\d+ (s|min) ago"), "WHEN"),
    (re.compile(r"[0-9a-f]{8,64}|sub-[0-9a-f]+"), "DIGEST"),
    (re.compile(r'name="csrf_token" value="[^"]+"'), "CSRF"),
    (re.compile(r'"(wall_s|cpu_s)":[\d.e-]+|\d+\.\d\d s'), "SECONDS"),
    (re.compile(r"(points|x|y)=\"[^\"]*\""), "DRAWN"),
]


def predictions(public, private):
    right = {i for i in ROWS if i // 2 < (public if i % 2 else private)}
    return "id,label\n" + "".join(f"{i},{i % 10 if i in right else (i + 1) % 10}\n" for i in ROWS)


class Onlooker:
    """Asks a competition all that a person who is no host can ask."""

    def __init__(self, app, api, factory, slug):
        self.app, self.api, self.factory, self.slug = app, api, factory, slug

    def seen(self, person):
        """Every answer's status, body and tag, without what differs anyway."""
        caller = None if person is None else self.factory.person(person)
        api = self.api if caller is None else self.api.as_(caller)
        answers = {}
        base = f"/competitions/{self.slug}"
        parts = ["", "/leaderboard", "/leaderboard?split=private", "/leaderboard?page=2&per_page=1"]
        parts += ["/history", "/history?split=private", "/shakeup", "/finals", "/team", "/limits"]
        parts += [
            "/submissions",
            "/board",
            "/rescoring",
            "/integrity",
            "/leaderboard?at=2100-01-01T00:00Z",
        ]
        for part in parts:
            answers[part] = api.get(base + part)
        listed = answers["/submissions"].get_json()
        for number, one in enumerate(listed.get("items", [])):
            answers[f"submission {number}"] = api.get(f"/submissions/{one['id']}")
            answers[f"log {number}"] = api.get(f"/submissions/{one['id']}/log")
        client = self.app.test_client()
        if caller is not None:
            with client.session_transaction() as cookie:
                cookie["user_id"], cookie["epoch"] = caller.id, 0
        tabs = [
            "/",
            "/leaderboard",
            "/leaderboard?split=private",
            "/leaderboard/rows",
            "/submissions",
        ]
        tabs += [
            "/leaderboard/rows?split=private",
            "/leaderboard/board.csv",
            "/leaderboard/shakeup",
        ]
        tabs += ["/leaderboard/board.csv?split=private", "/leaderboard?search=a", "/rules", "/team"]
        tabs += [
            "/manage",
            "/manage/rescoring",
            "/manage/integrity",
            "/leaderboard?at=2100-01-01T00:00",
        ]
        for tab in tabs:
            answers[f"page {tab}"] = client.get(f"/c/{self.slug}{tab}")
        for number, one in enumerate(listed.get("items", [])):
            answers[f"page of {number}"] = client.get(f"/submissions/{one['id']}")
        return {
            name: (answer.status_code, self.plain(answer.text), self.tag(answer))
            for name, answer in answers.items()
        }

    def tag(self, answer):
        """A tag without the numbers of competition and team, which stand in it openly."""
        tag = answer.headers.get("ETag", "").strip('"')
        return tag.split("-")[1:2] + tag.split("-")[3:]

    def plain(self, text):
        text = text.replace(self.slug, "SLUG")
        for noise, name in NOISE:
            text = noise.sub(name, text)
        with self.api.installation.database.reading() as session:
            competition_id = competitions.find(session, self.slug).id
            ids = session.scalars(
                select(Submission.id)
                .where(Submission.competition_id == competition_id)
                .order_by(Submission.id)
            ).all()
        for place, one in enumerate(ids):  # they begin at a thousand, so that no rank is like one
            text = re.sub(rf"(?<![\d.]){one}(?![\d.])", f"ID{place}", text)
        return text


@pytest.fixture
def worlds(installation, factory, app, api):
    """Begins two competitions, in which teams hand in files that differ on private rows only."""
    number = 100
    factory.competition("elsewhere")
    first = factory.submit(factory.member("ada-01", "elsewhere"), predictions(1, 1), "elsewhere")
    with installation.database.writing() as session:
        session.execute(delete(Transition))
        session.execute(update(Submission).where(Submission.id == first).values(id=1000))

    def begin(files):
        nonlocal number
        onlookers = []
        for world in (0, 1):
            number += 1
            slug = f"toy-{number}"
            host = factory.person("host-01", "instructor")
            factory.competition(
                slug, daily_limit=50, host_id=host.id, closes_at=now() + timedelta(days=2)
            )
            callers = {person: factory.member(person, slug) for person in PEOPLE}
            for person, public, *private in files:
                factory.submit(callers[person], predictions(public, private[world]), slug=slug)
            factory.judge_all()
            with installation.database.writing() as session:
                competition = competitions.find(session, slug)
                boardclock.note_day(session, competition, now())
            while uncertainty.work(installation):
                pass
            rescoring.begin(installation, host, slug, Revision(excluded=("3",), reason="a typo"))
            factory.judge_all()
            onlookers.append(Onlooker(app, api, factory, slug))
        return onlookers

    return begin


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=FILES)
def test_two_competitions_that_differ_in_private_scores_look_the_same_before_the_reveal(
    worlds, files
):
    one, other = worlds(files)
    for person in (None, "ada-01", "stranger-01"):
        seen, differently = one.seen(person), other.seen(person)
        for name, answer in seen.items():
            assert answer == differently[name], name


def test_the_same_onlooker_sees_them_after_the_reveal(installation, worlds):
    """The test above can fail: it looks where private scores are."""
    one, other = worlds([("ada-01", 5, 2, 9), ("bob-01", 6, 7, 7)])
    with installation.database.writing() as session:
        session.execute(update(Competition).values(closes_at=now() - timedelta(seconds=1)))
    boardclock.tick(installation, now())
    seen, differently = one.seen(None), other.seen(None)
    assert seen["/leaderboard"] == differently["/leaderboard"]
    assert seen["/leaderboard?split=private"][0] == 200
    private = seen["/leaderboard?split=private"][1]
    assert private.index("bob-01") < private.index("ada-01")
    for name in ("/leaderboard?split=private", "/shakeup", "page /leaderboard/shakeup"):
        assert seen[name] != differently[name], name
