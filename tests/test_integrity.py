import io
import zipfile

import numpy as np
import pytest

from podium import competitions, integrity

ROWS = 400
DIGITS = {"kinds": ["predictions", "code"], "run": {"inputs": ["train.csv"]}}
PROGRAM = """
import csv
import statistics

def nearest(point, others, labels):
    best, chosen = None, None
    for other, label in zip(others, labels):
        distance = sum((a - b) ** 2 for a, b in zip(point, other))
        if best is None or distance < best:
            best, chosen = distance, label
    return chosen

def read(name):
    with open(name) as file:
        return [[float(cell) for cell in row] for row in csv.reader(file)]
"""


@pytest.fixture
def hosted(factory):
    answers = "id,label,Usage\n" + "".join(
        f"{i},{i % 10},{'Public' if i % 2 else 'Private'}\n" for i in range(ROWS)
    )
    factory.competition(
        declared=({}, answers.encode(), table(np.zeros(ROWS, int))), daily_limit=50, spec=DIGITS
    )


def table(labels):
    return ("id,label\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels))).encode()


def guesses(seed, right=0.7):
    """Labels of which a share is right, at rows that the seed chooses."""
    draw = np.random.default_rng(seed)
    truth = np.arange(ROWS) % 10
    return np.where(draw.random(ROWS) < right, truth, (truth + 1) % 10)


@pytest.fixture
def field(factory, hosted):
    """Eight teams that know nothing of one another; teams-0 handed in what team-7 copied."""
    ids = []
    for index in range(8):
        ids.append(factory.submit(factory.member(f"team-{index}"), table(guesses(index))))
        factory.judge(ids[-1])
    return ids


def look(installation, what, *arguments):
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        if what in (integrity.twins, integrity.sources):
            return what(session, competition)
        return what(installation.storage, session, competition, *arguments)


def test_honest_teams_leave_no_evidence(installation, field):
    found = look(installation, integrity.evidence)
    assert (found.twins, found.errors, found.code, found.sources) == ([], [], [], [])


def test_teams_that_send_from_one_address_are_found(installation, factory, field):
    for seed, handle in enumerate(("team-1", "team-2"), 50):
        factory.submit(factory.person(handle), table(guesses(seed)), source="a5c1")
    (source,) = look(installation, integrity.sources)
    assert (source.teams, source.share) == (["team-1", "team-2"], 2 / 8)
    assert not source.is_classroom


def test_an_address_that_most_teams_share_is_a_classroom(installation, factory, field):
    for index in range(6):
        content = table(guesses(50 + index))
        factory.submit(factory.person(f"team-{index}"), content, source="a5c1")
    (source,) = look(installation, integrity.sources)
    assert source.is_classroom


def test_a_file_of_two_teams_is_found_with_who_was_first(installation, factory, field):
    copy = factory.submit(factory.member("copy-01"), table(guesses(3)))
    (twins,) = look(installation, integrity.twins)
    assert [(one.submission_id, one.team) for one in twins.entries] == [
        (field[3], "team-3"),
        (copy, "copy-01"),
    ]


def test_the_own_file_again_and_the_given_sample_are_no_evidence(
    installation, factory, predictions, field
):
    factory.offer("sample_submission.csv", table(np.ones(ROWS, int)))
    for handle in ("team-1", "team-2"):
        factory.submit(factory.member(handle), table(np.ones(ROWS, int)))
    factory.submit(factory.member("team-1"), table(guesses(1)))
    assert look(installation, integrity.twins) == []


def test_predictions_that_err_alike_beyond_the_field_are_found(installation, factory, field):
    almost = guesses(5)
    almost[:12] = (almost[:12] + 1) % 10  # some rows changed, so that the file is another
    factory.judge(factory.submit(factory.member("copy-01"), table(almost)))
    (pair,) = look(installation, integrity.alike_in_errors)
    assert {pair.one.team, pair.other.team} == {"team-5", "copy-01"}
    assert pair.alike > 0.8
    assert pair.far > integrity.FAR


def test_rows_that_are_hard_for_everybody_make_nobody_alike(installation, factory, hosted):
    truth = np.arange(ROWS) % 10
    for seed in range(8):
        labels = guesses(seed, right=0.95)
        labels[:150] = (truth[:150] + 1) % 10  # mislabelled: nobody is right there
        factory.judge(factory.submit(factory.member(f"team-{seed}"), table(labels)))
    assert look(installation, integrity.alike_in_errors) == []


def bundle(source):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("main.py", source)
    return out.getvalue()


def code(factory, handle, source):
    return factory.submit(
        factory.member(handle), bundle(source), kind="code", file_name="bundle.zip"
    )


def test_code_under_other_names_is_found(installation, factory, hosted):
    renamed = PROGRAM.replace("nearest", "closest").replace("distance", "d").replace("other", "o")
    code(factory, "ada-01", PROGRAM)
    code(factory, "bob-01", "# all my own work\n" + renamed)
    code(factory, "cy-01", "\n".join(f"value_{i} = {i} * print({i})" for i in range(40)))
    (pair,) = look(installation, integrity.alike_in_code)
    assert {pair.one.team, pair.other.team} == {"ada-01", "bob-01"}
    assert pair.alike > 0.9


def test_a_starter_that_everybody_has_is_no_evidence(installation, factory, hosted):
    for index in range(9):
        own = "\n".join(f"a{i} = {'[' * (index + 1)}{i}{']' * (index + 1)}" for i in range(30))
        code(factory, f"team-{index}", PROGRAM + own)
    assert look(installation, integrity.alike_in_code) == []


def test_two_tables_are_compared_in_the_order_of_their_lines(installation, factory, field):
    shuffled = table(guesses(0)).decode().splitlines()
    shuffled = [shuffled[0], *reversed(shuffled[1:])]
    copy = factory.submit(factory.member("copy-01"), "\n".join(shuffled) + "\n")
    found = look(installation, integrity.compare, field[0], copy)
    assert (found.same, found.of) == (ROWS + 1, ROWS + 1)
    other = look(installation, integrity.compare, field[0], field[1])
    assert other.same < ROWS
    assert look(installation, integrity.compare, field[0], 10_000) is None
