import pytest

from podium import announcements, competitions
from podium.errors import BadRequestError, NoAccessError, NotFoundError


@pytest.fixture
def host(factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id)
    return caller


def act(installation, does, *words, **said):
    with installation.database.writing() as session:
        found = does(session, *words, **said)
        return getattr(found, "id", None)


def told(installation):
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        return [(one.title, one.is_pinned) for one in announcements.of(session, toy)]


def logged(installation):
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        return [entry for entry, _ in competitions.audited(session, toy, 9)]


def test_the_pinned_come_first_then_the_newest(installation, host):
    act(installation, announcements.post, host, "toy", "First")
    act(installation, announcements.post, host, "toy", "Second", is_pinned=False)
    act(installation, announcements.post, host, "toy", "  Third\n one ")
    assert told(installation) == [("Third one", True), ("First", True), ("Second", False)]


def test_a_change_is_shown_and_the_old_words_stay_in_the_log(installation, host):
    number = act(installation, announcements.post, host, "toy", "Dates", "On Monday.")
    act(installation, announcements.edit, host, "toy", number, is_pinned=False)
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        assert announcements.of(session, toy)[0].edited_at is None  # its words are the same
    act(installation, announcements.edit, host, "toy", number, text="On Tuesday.")
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        (found,) = announcements.of(session, toy)
        assert (found.title, found.text, found.edited_at is not None) == (
            "Dates",
            "On Tuesday.",
            True,
        )
    assert logged(installation)[0].detail["before"] == {"text": "On Monday."}


def test_what_is_taken_back_stays_in_the_log(installation, host):
    number = act(installation, announcements.post, host, "toy", "Oops", "Wrong.")
    act(installation, announcements.remove, host, "toy", number, "a mistake")
    assert told(installation) == []
    entry = logged(installation)[0]
    assert (entry.action, entry.reason) == ("announcement.remove", "a mistake")
    assert entry.detail["text"] == "Wrong."


def test_nobody_else_posts_and_no_competition_reaches_into_another(installation, host, factory):
    number = act(installation, announcements.post, host, "toy", "Mine")
    for person in (factory.member("ada-01"), factory.person("host-02", "instructor")):
        with pytest.raises(NoAccessError):
            act(installation, announcements.post, person, "toy", "Theirs")
    other = factory.person("host-02", "instructor")
    factory.competition("other", host_id=other.id)
    with pytest.raises(NotFoundError, match="other has no announcement"):
        act(installation, announcements.edit, other, "other", number, title="Theirs")


@pytest.mark.parametrize(
    ("title", "text", "said"),
    [
        (" \n", "", "1 to 120 characters, not 0"),
        ("x" * 121, "", "not 121"),
        ("x", "y" * 20_001, "20001"),
    ],
)
def test_words_have_their_lengths(installation, host, title, text, said):
    with pytest.raises(BadRequestError, match=said):
        act(installation, announcements.post, host, "toy", title, text)
