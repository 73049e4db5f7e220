"""Who is told of what, once, and in the way they prefer."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from podium import (
    attempts,
    difference,
    invitations,
    notifications,
    postman,
    reconciler,
    reminders,
    rescoring,
    reveal,
    teams,
)
from podium.attempts import Ending
from podium.competitions import find, team_of
from podium.errors import BadRequestError, NotFoundError
from podium.models import Competition, Extension, Mail, Notification, Submission, User
from podium.models.record import now
from podium.revision import Revision
from podium.verdicts import Verdict


def told(installation, *kinds):
    """Who was told what, in order; of some kinds."""
    with installation.database.reading() as session:
        rows = session.execute(
            select(User.handle, Notification.kind, Notification.text, Notification.link)
            .join(User, User.id == Notification.user_id)
            .order_by(Notification.id)
        ).all()
    return [tuple(row) for row in rows if not kinds or row.kind in kinds]


def mailed(installation):
    with installation.database.reading() as session:
        return [
            (one.kind, one.recipient) for one in session.scalars(select(Mail).order_by(Mail.id))
        ]


def tell(installation, people, kind=notifications.ANNOUNCEMENT, **more):
    with installation.database.writing() as session:
        ids = [person.id for person in people]
        return notifications.tell(session, kind, ids, "It rains.", "/c/toy/", **more)


def age(installation, submission_id, **by):
    with installation.database.writing() as session:
        session.get_one(Submission, submission_id).received_at -= timedelta(**by)


def test_a_long_run_that_is_scored_is_told_and_a_short_one_is_not(
    installation, factory, predictions
):
    factory.competition()
    ada = factory.member("ada-01")
    short, long = factory.submit(ada, predictions(3)), factory.submit(ada, predictions(4))
    age(installation, long, minutes=5)
    factory.judge_all()
    assert told(installation) == [
        (
            "ada-01",
            "scored",
            f"Submission {long} in Toy digits: it is scored.",
            f"/submissions/{long}",
        )
    ]
    assert short != long


def test_a_failed_submission_is_told_at_once_to_the_whole_team(installation, factory, predictions):
    factory.competition()
    ada, bob = factory.member("ada-01"), factory.person("bob-01")
    with installation.database.writing() as session:
        competition = find(session, "toy")
        invitations.invite(session, competition, ada, "bob-01")
    with installation.database.writing() as session:
        invitations.accept(session, find(session, "toy"), bob)
    submission_id = factory.submit(ada, predictions(3))
    with installation.database.writing() as session:
        lease = attempts.take(session, submission_id, "run", "w1", 60)
        attempts.end(session, lease, Ending(Verdict.TIME_LIMIT, "too slow"))
    found = told(installation, "failed")
    assert [(handle, text) for handle, _, text, _ in found] == [
        ("ada-01", f"Submission {submission_id} in Toy digits: it failed."),
        ("bob-01", f"Submission {submission_id} in Toy digits: it failed."),
    ]


def test_an_error_of_ours_is_told(installation, factory, predictions):
    factory.competition()
    submission_id = factory.submit(factory.member("ada-01"), predictions(3))
    with installation.database.writing() as session:
        lease = attempts.take(session, submission_id, "score", "w1", 60)
        attempts.give_back(session, lease, attempts.FAULT, "x", max_attempts=1)
    ((_, kind, text, _),) = told(installation)
    assert (kind, text.endswith("it was not counted.")) == ("failed", True)


def test_baselines_and_late_reports_tell_nobody(installation, factory, predictions):
    factory.competition()
    submission_id = factory.submit(factory.member("ada-01"), predictions(3))
    with installation.database.writing() as session:
        lease = attempts.take(session, submission_id, "run", "w1", 60)
        attempts.hand_back(session, lease)
        assert not attempts.end(session, lease, Ending(Verdict.TIME_LIMIT))
    assert told(installation) == []


def test_an_invitation_is_told_once_and_a_merge_to_the_leader(installation, factory):
    factory.competition()
    ada, bob = factory.member("ada-01"), factory.member("bob-01")
    for _ in range(2):
        with installation.database.writing() as session:
            invitations.invite(session, find(session, "toy"), ada, "bob-01")
    with installation.database.writing() as session:
        teams.merge(session, find(session, "toy"), ada, "bob-01")
    assert told(installation) == [
        ("bob-01", "invitation", "ada-01 invites you into ada-01, in Toy digits.", "/c/toy/team"),
        (
            "bob-01",
            "invitation",
            "ada-01 asks bob-01 to become one team, in Toy digits.",
            "/c/toy/team",
        ),
    ]
    assert mailed(installation) == [("event", "bob-01@example.org")] * 2
    assert bob.handle == "bob-01"


def test_an_applied_rescoring_is_told_to_who_competes_and_a_discarded_one_is_not(
    installation, factory, predictions
):
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id)
    factory.submit(factory.member("ada-01"), predictions(3))
    factory.judge_all()
    for act in (rescoring.discard, difference.apply):
        rescoring.begin(installation, host, "toy", Revision(excluded=("3",), reason="row 3"))
        factory.judge_all()
        act(installation, host, "toy", "why")
    ((handle, _, text, link),) = told(installation, "rescoring")
    assert (handle, link) == ("ada-01", "/c/toy/leaderboard")
    assert text.startswith("Toy digits was scored again")


def test_a_reveal_is_told_to_who_competes(installation, factory):
    factory.competition(closes_at=now() - timedelta(minutes=1))
    with installation.database.writing() as session:
        session.scalars(select(Competition)).one().closes_at = now() + timedelta(hours=9)
    factory.member("ada-01")
    with installation.database.writing() as session:
        competition = find(session, "toy")
        competition.closes_at = now() - timedelta(minutes=1)
        assert reveal.when_due(session, competition, now())
    ((handle, kind, text, _),) = told(installation)
    assert (handle, kind, text) == ("ada-01", "reveal", "The final board of Toy digits is shown.")


def test_a_near_deadline_is_told_once_and_not_to_who_has_longer(installation, factory):
    closes_at = now() + timedelta(hours=20)
    factory.competition(closes_at=closes_at)
    factory.competition("far", closes_at=now() + timedelta(hours=30))
    factory.member("ada-01")
    factory.member("ada-01", "far")
    bob = factory.member("bob-01")
    with installation.database.writing() as session:
        session.add(
            Extension(
                competition_id=find(session, "toy").id,
                user_id=bob.id,
                closes_at=now() + timedelta(days=5),
                reason="ill",
            )
        )
    for _ in range(3):
        reconciler.reconcile(installation)
    ((handle, kind, text, _),) = told(installation)
    assert (handle, kind) == ("ada-01", "deadline")
    assert text == f"Toy digits ends on {closes_at:%-d %b %Y, %H:%M} UTC."
    with installation.database.writing() as session:
        find(session, "toy").closes_at = now() + timedelta(hours=22)
    assert reminders.tick(installation, now()) == 1


def test_who_has_a_deadline_of_their_own_is_reminded_of_that(installation, factory):
    factory.competition(closes_at=now() + timedelta(hours=2))
    factory.member("ada-01")
    bob = factory.member("bob-01")
    own = now() + timedelta(days=5)
    with installation.database.writing() as session:
        toy = find(session, "toy")
        team = team_of(session, toy.id, bob.id)
        session.add(Extension(team_id=team.id, closes_at=own, reason="ill"))
    assert reminders.tick(installation, now()) == 1
    assert reminders.tick(installation, own - timedelta(days=2)) == 0
    for _ in range(2):
        reminders.tick(installation, own - timedelta(hours=20))
    ada_s, bob_s = sorted(told(installation))
    assert (ada_s[0], bob_s[0]) == ("ada-01", "bob-01")
    assert bob_s[2] == f"Toy digits ends for you on {own:%-d %b %Y, %H:%M} UTC."


def test_each_is_told_in_the_way_they_prefer(installation, factory):
    people = [factory.person(f"{way}-01") for way in notifications.WAYS]
    for person, way in zip(people, notifications.WAYS, strict=True):
        with installation.database.writing() as session:
            notifications.prefer(session, person.id, {notifications.ANNOUNCEMENT: way})
    assert tell(installation, people) == 3
    assert {handle for handle, *_ in told(installation)} == {"page-01", "digest-01", "mail-01"}
    assert mailed(installation) == [("event", "mail-01@example.org")]


def test_the_same_event_is_told_once_however_often_and_by_whomever(installation, factory):
    people = [factory.person(f"ada-{number:02}") for number in range(5)]
    counts = []
    threads = [
        threading.Thread(
            target=lambda: counts.append(tell(installation, people, key="announcement:1"))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 5
    assert len(told(installation)) == 5
    assert len(mailed(installation)) == 5


def test_what_is_rolled_back_is_not_told(installation, factory):
    ada = factory.person("ada-01")

    def fail():
        with installation.database.writing() as session:
            notifications.tell(session, notifications.REPLY, [ada.id], "x", "/")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (told(installation), mailed(installation)) == ([], [])


def test_an_address_that_is_not_confirmed_gets_no_mail(installation, factory):
    ada = factory.person("ada-01")
    with installation.database.writing() as session:
        session.get_one(User, ada.id).unconfirmed = True
    assert tell(installation, [ada]) == 1
    assert mailed(installation) == []


class Postbox:
    def __init__(self):
        self.got = []

    def send(self, mail_id, message):
        self.got.append(message)


def test_a_digest_holds_what_is_unread_once_a_day(installation, factory):
    ada, postbox = factory.person("ada-01"), Postbox()
    for _ in range(3):
        tell(installation, [ada], notifications.REPLY)
    assert postman.gather(installation) == 0  # an hour's rest: more may come
    with installation.database.writing() as session:
        found = session.scalars(select(Notification)).all()
        for one in found:
            one.created_at -= timedelta(hours=2)
        found[0].read_at = now()
    assert postman.gather(installation) == 1
    assert postman.gather(installation) == 0
    postman.deliver(installation, postbox)
    (mail,) = postbox.got
    assert mail["Subject"] == "2 events on Podium"
    assert mail.get_content().count(f"{installation.config.url}/c/toy/") == 2
    tell(installation, [ada], notifications.REPLY)
    with installation.database.writing() as session:
        for one in session.scalars(select(Notification)):
            one.created_at -= timedelta(hours=2)
    assert postman.gather(installation) == 0  # one a day
    with installation.database.writing() as session:
        session.scalars(select(Mail)).one().created_at -= timedelta(days=1)
    assert postman.gather(installation) == 1


def test_a_digest_of_what_was_read_meanwhile_is_not_sent(installation, factory):
    ada, postbox = factory.person("ada-01"), Postbox()
    tell(installation, [ada], notifications.REPLY)
    with installation.database.writing() as session:
        session.scalars(select(Notification)).one().created_at -= timedelta(hours=2)
    assert postman.gather(installation) == 1
    with installation.database.writing() as session:
        assert notifications.read(session, ada.id) == 1
        assert notifications.read(session, ada.id) == 0
    postman.deliver(installation, postbox)
    assert postbox.got == []


def test_ones_own_are_read_and_nobody_elses(installation, factory):
    ada, eve = factory.person("ada-01"), factory.person("eve-01")
    tell(installation, [ada])
    with installation.database.writing() as session:
        (one,) = notifications.of_user(session, ada.id)
        assert notifications.read(session, eve.id, [one.id]) == 0
        with pytest.raises(NotFoundError):
            notifications.open_one(session, eve.id, one.id)
        assert notifications.unread(session, ada.id) == 1
        assert notifications.open_one(session, ada.id, one.id) == "/c/toy/"
    with installation.database.reading() as session:
        assert notifications.unread(session, ada.id) == 0


@pytest.mark.parametrize("wanted", [{"weather": "mail"}, {"reply": "by pigeon"}])
def test_what_cannot_be_preferred_is_refused(installation, factory, wanted):
    ada = factory.person("ada-01")
    with (
        pytest.raises(BadRequestError, match="There is no"),
        installation.database.writing() as session,
    ):
        notifications.prefer(session, ada.id, wanted)


def test_the_bell_counts_and_leads_there(app, installation, factory):
    ada = factory.person("ada-01")
    factory.competition()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["user_id"], cookie["epoch"] = ada.id, 0
    assert 'class="count"' not in client.get("/notifications").text
    tell(installation, [ada])
    assert '<span class="count">1<' in client.get("/").text
    assert "It rains." in client.get("/notifications").text
    answer = client.get("/notifications/1")
    assert (answer.status_code, answer.location) == (303, "/c/toy/")
    assert 'class="count"' not in client.get("/").text


def test_the_api_lists_reads_and_prefers(app, installation, factory):
    ada = factory.person("ada-01")
    for _ in range(3):
        tell(installation, [ada])
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["user_id"], cookie["epoch"] = ada.id, 0
    body = client.get("/api/v1/me/notifications?per_page=2&unread=true").get_json()
    assert (len(body["items"]), body["total"], body["unread"]) == (2, 3, 3)
    assert set(body["items"][0]) == {"id", "kind", "text", "link", "created_at", "read_at"}
    kinds = client.get("/api/v1/me/notifications/preferences").get_json()["kinds"]
    assert kinds["announcement"] == "mail"
