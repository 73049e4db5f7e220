import io

import pytest
from sqlalchemy import func, select

from podium import checking, competitions, leaderboard, limits
from podium.models import Attempt, Challenge, Evaluation, Submission
from podium.models.record import now


@pytest.fixture
def ada(factory):
    factory.competition(daily_limit=50)
    return factory.member("ada-01")


def test_a_file_gets_a_public_and_a_private_score_with_interval_and_signature(
    installation, factory, predictions, ada
):
    # 15 of 20 right: rows 0 to 14; odd ids are public (7 of 10), even ones private (8 of 10)
    submission = factory.judge(factory.submit(ada, predictions(15)))
    assert submission.state == "scored"
    with installation.database.reading() as session:
        rows = {row.split: row for row in session.scalars(select(Evaluation))}
    assert (rows["public"].value, rows["private"].value) == (0.7, 0.8)
    assert rows["public"].n == 10
    # Wilson's interval of 7 of 10, from the formula by hand
    assert rows["public"].low == pytest.approx(0.3967, abs=1e-4)
    assert rows["public"].high == pytest.approx(0.8922, abs=1e-4)
    assert rows["public"].signature.startswith("accuracy|answers:")


def test_judging_twice_scores_once(installation, factory, predictions, ada):
    submission_id = factory.submit(ada, predictions(15))
    factory.judge(submission_id)
    factory.judge(submission_id)
    with installation.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Evaluation)) == 2
        assert session.scalar(select(func.count()).select_from(Attempt)) == 1


HEAD = "id,label\n"
FULL = [f"{i},{i % 10}" for i in range(20)]
BAD_FILES = {
    "binary junk": (b"\x00\x01\x02\xff" * 50, "zero byte"),
    "utf-16": (("\ufeff" + HEAD + "\n".join(FULL)).encode("utf-16"), "UTF-16"),
    "an npz": (b"PK\x03\x04rest", "zip archive"),
    "latin-1": (HEAD.encode() + b"0,\xe9\n", "not UTF-8 text (line 2)"),
    "only a header": (HEAD, "a header and no rows"),
    "only white space": (" \n\n", "empty"),
    "no header": ("\n".join(FULL), "not the header id,label"),
    "semicolons": ("id;label\n" + "\n".join(FULL).replace(",", ";"), "separated by semicolons"),
    "tabs": ("id\tlabel\n0\t1\n", "separated by tabs"),
    "wrong columns": ("id,digit\n0,1\n", "lacks label and has 'digit' besides"),
    "a pandas index": (",id,label\n0,0,0\n", "index=False"),
    "a double column": ("id,label,label\n0,1,1\n", "A column is there twice"),
    "a missing id": (HEAD + "\n".join(FULL[:-1]), "a row for id 19"),
    "a double id": (
        HEAD + "\n".join([*FULL, "3,3"]),
        "Line 22, column 'id': expected each id once",
    ),
    "an unknown id": (HEAD + "\n".join([*FULL[:-1], "77,1"]), "Line 21, column 'id'"),
    "a fraction": (
        HEAD + "\n".join([*FULL[:-1], "19,3.5"]),
        "expected an integer from 0 to 9, got '3.5'",
    ),
    "a float that is whole": (HEAD + "\n".join([*FULL[:-1], "19,3.0"]), "got '3.0'"),
    "NaN": (HEAD + "\n".join([*FULL[:-1], "19,NaN"]), "got 'NaN'"),
    "nothing": (HEAD + "\n".join([*FULL[:-1], "19,"]), "got nothing"),
    "a word": (HEAD + "\n".join([*FULL[:-1], "19,nine"]), "got 'nine'"),
    "out of range": (HEAD + "\n".join([*FULL[:-1], "19,12"]), "Line 21, column 'label'"),
    "below the range": (HEAD + "\n".join([*FULL[:-1], "19,-1"]), "from 0 to 9, got '-1'"),
    "a huge number": (HEAD + "\n".join([*FULL[:-1], "19," + "9" * 40]), "got '9999"),
    "ragged, short": (HEAD + "\n".join([*FULL[:-1], "19"]), "Line 21: expected 2 fields, got 1"),
    "ragged, long": (HEAD + "\n".join([*FULL[:-1], "19,9,9"]), "expected 2 fields, got 3"),
    "ragged twice, even in sum": (HEAD + "\n".join(["0", "1,1,1", *FULL[2:]]), "Line 2"),
    "a quoted newline in a number": (HEAD + "\n".join([*FULL[:-1], '19,"9\n1"']), "Line 21"),
    "an open quote": (HEAD + "\n".join([*FULL[:-1], '19,"9']), "well-formed quotes"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_invalid_with_its_place_and_costs_nothing(installation, factory, ada, name):
    content, words = BAD_FILES[name]
    submission = factory.judge(factory.submit(ada, content))
    assert (submission.state, submission.verdict) == ("invalid", "invalid")
    assert words in submission.reason
    assert submission.details
    assert {"line", "column", "expected", "got"} == set(submission.details[0])
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        assert limits.of_team(session, competition, submission.team_id, now()).used_today == 0
        assert leaderboard.read(session, competition).rows == []


GOOD_FILES = {
    "a BOM": b"\xef\xbb\xbf" + (HEAD + "\n".join(FULL)).encode(),
    "CRLF": (HEAD + "\n".join(FULL)).replace("\n", "\r\n"),
    "old line ends": (HEAD + "\n".join(FULL)).replace("\n", "\r"),
    "another order of rows": HEAD + "\n".join(reversed(FULL)) + "\n",
    "another order of columns": "label,id\n" + "\n".join(f"{i % 10},{i}" for i in range(20)),
    "empty lines": HEAD + "\n\n" + "\n\n".join(FULL) + "\n\n\n",
    "quotes": HEAD + "\n".join(f'"{i}","{i % 10}"' for i in range(20)),
    "spaces": HEAD + "\n".join(f"{i}, {i % 10}" for i in range(20)),
}


@pytest.mark.parametrize("name", GOOD_FILES)
def test_harmless_differences_are_accepted(installation, factory, ada, name):
    submission = factory.judge(factory.submit(ada, GOOD_FILES[name]))
    assert (submission.state, submission.reason) == ("scored", "")
    with installation.database.reading() as session:
        assert session.scalars(select(Evaluation.value)).all() == [1.0, 1.0]


def test_at_most_twenty_places_are_kept_and_the_rest_counted(installation, factory, ada):
    rows = "\n".join(f"{i},x" for i in range(20)) + "\n" + "\n".join(f"{i},y" for i in range(30))
    submission = factory.judge(factory.submit(ada, HEAD + rows))
    assert len(submission.details) == 20
    assert submission.more_details >= 30
    assert [detail["line"] for detail in submission.details[:3]] == [2, 3, 4]


def test_the_dry_run_says_the_same_and_needs_no_answers(installation, factory, ada):
    with installation.database.writing() as session:
        session.scalars(select(Challenge)).one().answers_key = "nowhere"
    for content, words in BAD_FILES.values():
        data = content.encode() if isinstance(content, str) else content
        checked = checking.check(installation, "toy", io.BytesIO(data))
        assert not checked.ok
        assert words in checked.message
    for content in GOOD_FILES.values():
        data = content.encode() if isinstance(content, str) else content
        assert checking.check(installation, "toy", io.BytesIO(data)).ok


def test_broken_answers_are_the_hosts_fault(installation, factory, predictions, ada):
    with installation.database.writing() as session:
        challenge = session.scalars(select(Challenge)).one()
        challenge.truth_version, challenge.answers_key = "toy-broken", challenge.sample_key
    submission = factory.judge(factory.submit(ada, predictions(15)))
    assert (submission.state, submission.verdict) == ("error", "challenge_fault")
    assert "host was told" in submission.reason
    with installation.database.reading() as session:
        assert "Usage" in session.scalars(select(Attempt.cause)).one()


def test_a_fault_of_ours_is_tried_again_and_never_invalid(installation, factory, predictions, ada):
    submission_id = factory.submit(ada, predictions(15))
    with installation.database.reading() as session:
        key = session.get_one(Submission, submission_id).file_key
    installation.storage.delete(key)
    assert factory.judge(submission_id).state == "queued"
    factory.judge(submission_id)
    submission = factory.judge(submission_id)
    assert (submission.state, submission.verdict) == ("error", "platform_fault")
    with installation.database.reading() as session:
        causes = session.scalars(select(Attempt.cause)).all()
    assert all("is not in the storage" in cause for cause in causes)


def test_a_cancelled_submission_records_no_score(installation, factory, predictions, ada):
    from podium import submissions

    submission_id = factory.submit(ada, predictions(15))
    submissions.cancel(installation, ada, submission_id)
    assert factory.judge(submission_id).state == "cancelled"
    with installation.database.reading() as session:
        assert session.scalars(select(Evaluation)).all() == []
