"""Who may write, change, moderate and read in discussions; limits; races; what is told."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from podium import competitions, courses, discussion, notifications
from podium.errors import (
    BadRequestError,
    ClosedError,
    LimitError,
    NoAccessError,
    NotFoundError,
)
from podium.models import AuditEntry, Competition, Notification, Post, Thread, User
from podium.models.record import now


@pytest.fixture
def host(factory):
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id)
    return host


def act(installation, function, *arguments, **more):
    with installation.database.writing() as session:
        return function(session, competitions.find(session, "toy"), *arguments, **more)


def begin(installation, caller, title="How to begin", text="I do not know."):
    return act(installation, discussion.begin, caller, title, text).id


def texts(installation, thread_id, caller):
    with installation.database.reading() as session:
        thread = session.get_one(Thread, thread_id)
        return [(one.author, one.text) for one in discussion.posts(session, thread, caller)]


def titles(installation, caller, search=""):
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        found = discussion.threads(session, competition, caller, search=search)
        assert discussion.count(session, competition, caller, search) == len(found)
        return [one.thread.title for one in found]


def test_a_question_and_its_answers_are_in_order_and_staff_is_marked(installation, factory, host):
    ada = factory.person("ada-01")
    thread_id = begin(installation, ada)
    act(installation, discussion.reply, host, thread_id, "With the sample.")
    with installation.database.reading() as session:
        thread = session.get_one(Thread, thread_id)
        shown = discussion.posts(session, thread, None)
        assert [(one.author, one.is_staff) for one in shown] == [
            ("ada-01", False),
            ("host-01", True),
        ]
        assert thread.replies == 1


def test_the_latest_comes_first_and_pinned_before_all(installation, factory, host):
    ada = factory.person("ada-01")
    ids = [begin(installation, ada, f"Thread {number}") for number in range(3)]
    act(installation, discussion.reply, host, ids[1], "An answer")
    assert titles(installation, None) == ["Thread 1", "Thread 2", "Thread 0"]
    act(installation, discussion.moderate, host, ids[0], pinned=True)
    assert titles(installation, None) == ["Thread 0", "Thread 1", "Thread 2"]


def test_search_looks_into_titles_and_texts_for_every_word(installation, factory, host):
    ada = factory.person("ada-01")
    begin(installation, ada, "About seeds", "Which 100 % are right?")
    thread_id = begin(installation, ada, "About loss")
    act(installation, discussion.reply, host, thread_id, "Use a smaller learning rate")
    assert titles(installation, None, "seeds") == ["About seeds"]
    assert titles(installation, None, "ABOUT learning") == ["About loss"]
    assert titles(installation, None, "100 %") == ["About seeds"]
    assert titles(installation, None, "_") == []
    post_id = 3
    act(installation, discussion.hide, host, post_id, "wrong")
    assert titles(installation, None, "learning") == []
    assert titles(installation, host, "learning") == ["About loss"]


def test_nobody_changes_or_takes_back_what_others_wrote(installation, factory, host):
    ada, eve = factory.person("ada-01"), factory.person("eve-01")
    thread_id = begin(installation, ada)
    for other in (eve, host):
        with pytest.raises(NoAccessError):
            act(installation, discussion.edit, other, 1, "changed")
        with pytest.raises(NoAccessError):
            act(installation, discussion.delete, other, 1)
    act(installation, discussion.edit, ada, 1, "Now I know.")
    assert texts(installation, thread_id, None) == [("ada-01", "Now I know.")]
    for deed in (
        lambda: act(installation, discussion.moderate, eve, thread_id, pinned=True),
        lambda: act(installation, discussion.moderate, eve, thread_id, hidden="x"),
        lambda: act(installation, discussion.hide, eve, 1, "x"),
    ):
        with pytest.raises(NoAccessError, match="Only the staff"):
            deed()


def test_a_post_of_another_competition_is_not_there(installation, factory, host):
    factory.competition("other")
    ada = factory.person("ada-01")
    thread_id = begin(installation, ada)
    with installation.database.writing() as session:
        other = competitions.find(session, "other")
        with pytest.raises(NotFoundError, match="other has no thread"):
            discussion.reply(session, other, ada, thread_id, "x")
        with pytest.raises(NotFoundError, match="other has no post"):
            discussion.edit(session, other, ada, 1, "x")
        with pytest.raises(NotFoundError):
            discussion.find(session, other, ada, thread_id)


def test_what_is_hidden_is_for_staff_and_its_author(installation, factory, host):
    ada, eve = factory.person("ada-01"), factory.person("eve-01")
    thread_id = begin(installation, ada)
    act(installation, discussion.hide, host, 1, "rude")
    assert texts(installation, thread_id, eve) == [("ada-01", None)]
    assert texts(installation, thread_id, ada)[0][1] == "I do not know."
    assert texts(installation, thread_id, host)[0][1] == "I do not know."
    act(installation, discussion.moderate, host, thread_id, hidden="off topic")
    assert titles(installation, eve) == []
    assert titles(installation, host) == ["How to begin"]
    with pytest.raises(NotFoundError):
        act(installation, discussion.reply, eve, thread_id, "hello")
    act(installation, discussion.moderate, host, thread_id, hidden="")
    assert titles(installation, eve) == ["How to begin"]
    with installation.database.reading() as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert actions == ["discussion.post", "discussion.thread", "discussion.thread"]


def test_a_closed_thread_takes_answers_of_staff_only(installation, factory, host):
    ada = factory.person("ada-01")
    thread_id = begin(installation, ada)
    act(installation, discussion.moderate, host, thread_id, locked=True)
    for deed in (
        lambda: act(installation, discussion.reply, ada, thread_id, "but"),
        lambda: act(installation, discussion.edit, ada, 1, "but"),
        lambda: act(installation, discussion.delete, ada, 1),
    ):
        with pytest.raises(ClosedError):
            deed()
    act(installation, discussion.reply, host, thread_id, "The last word.")


def test_a_question_that_nobody_answered_goes_and_one_with_answers_leaves_a_gap(
    installation, factory, host
):
    ada = factory.person("ada-01")
    begin(installation, ada)
    assert act(installation, discussion.delete, ada, 1) is True
    assert titles(installation, None) == []
    thread_id = begin(installation, ada)
    act(installation, discussion.reply, host, thread_id, "An answer")
    with installation.database.reading() as session:
        first = session.scalars(select(Post).order_by(Post.id)).first().id
    assert act(installation, discussion.delete, ada, first) is False
    assert texts(installation, thread_id, ada) == [("ada-01", None), ("host-01", "An answer")]
    with installation.database.reading() as session:
        assert session.get_one(Post, first).text == ""
    with pytest.raises(NotFoundError, match="was deleted"):
        act(installation, discussion.edit, ada, first, "again")


def test_the_same_form_twice_is_one(installation, factory, host):
    ada = factory.person("ada-01")
    ids = []
    threads = [
        threading.Thread(target=lambda: ids.append(begin(installation, ada))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 1
    assert len({act(installation, discussion.reply, ada, ids[0], "x").id for _ in range(3)}) == 1


def test_answers_at_once_are_all_counted(installation, factory, host):
    thread_id = begin(installation, factory.person("ada-01"))
    people = [factory.person(f"p-{number:02}") for number in range(6)]

    def answer(person):
        act(installation, discussion.reply, person, thread_id, f"I am {person.handle}")

    threads = [threading.Thread(target=answer, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with installation.database.reading() as session:
        assert session.get_one(Thread, thread_id).replies == 6


def test_nobody_floods(installation, factory, host):
    ada = factory.person("ada-01")
    outcomes = []

    def write(number):
        try:
            begin(installation, ada, f"Thread {number}")
            outcomes.append("written")
        except LimitError as error:
            outcomes.append("limit" if error.facts["resets_at"] > now() else "no wait")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["limit"] * 3 + ["written"] * 10
    with installation.database.writing() as session:
        for post in session.scalars(select(Post)):
            post.created_at -= timedelta(minutes=11)
    begin(installation, ada, "Later")


@pytest.mark.parametrize(
    ("title", "text"), [("x", "a"), ("y" * 151, "a"), ("Title", " "), ("Title", "a" * 10_001)]
)
def test_what_does_not_fit_is_refused(installation, factory, host, title, text):
    with pytest.raises(BadRequestError):
        begin(installation, factory.person("ada-01"), title, text)


def test_an_answer_is_told_to_who_wrote_there_once_each(installation, factory, host):
    ada, bob = factory.person("ada-01"), factory.person("bob-01")
    thread_id = begin(installation, ada)
    act(installation, discussion.reply, ada, thread_id, "Nobody?")
    post = act(installation, discussion.reply, bob, thread_id, "Here.")
    with installation.database.reading() as session:
        (one,) = session.scalars(select(Notification)).all()
        assert (one.user_id, one.kind) == (ada.id, notifications.REPLY)
        assert one.link == f"/c/toy/discussion/{thread_id}#p-{post.id}"
        assert one.text == "bob-01 answers in “How to begin”, in Toy digits."


def test_who_has_left_the_course_is_not_told(installation, factory, host):
    people = factory.course("dl", student=("ada-01", "bob-01"))
    with installation.database.writing() as session:
        competition = session.scalars(select(Competition)).one()
        competition.course_id = courses.find(session, "dl", people["teacher-01"]).id
    thread_id = begin(installation, people["ada-01"])
    with installation.database.writing() as session:
        course = courses.find(session, "dl", people["teacher-01"])
        place = next(one for one in courses.people(session, course) if one.email.startswith("ada"))
        courses.remove(session, people["teacher-01"], "dl", place.id, "left")
    act(installation, discussion.reply, people["bob-01"], thread_id, "Here.")
    with installation.database.reading() as session:
        assert session.scalars(select(Notification)).all() == []


def test_staff_is_who_hosts_teaches_or_administers(installation, factory, host):
    people = factory.course("dl", student=("ada-01",), assistant=("tutor-01",))
    factory.person("root-01", "admin")
    with installation.database.writing() as session:
        competition = session.scalars(select(Competition)).one()
        users = session.scalars(select(User)).all()
        speak = discussion.staff_of(session, competition, users)
        names = {user.handle for user in users if user.id in speak}
        assert names == {"host-01", "root-01"}
        competition.course_id = courses.find(session, "dl", people["teacher-01"]).id
        session.flush()
        speak = discussion.staff_of(session, competition, users)
        names = {user.handle for user in users if user.id in speak}
        assert names == {"host-01", "root-01", "teacher-01", "tutor-01"}
