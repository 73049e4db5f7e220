import csv
import io
from dataclasses import replace

import pytest

from podium import checkup, competitions, givens, plaincsv, publishing
from podium.errors import BadRequestError

TRAIN = ("key,size,kind\n" + "".join(f"t{n},{n % 9},{'ab'[n % 2]}\n" for n in range(200))).encode()
IDS = [f"q{n}" for n in range(100)]
TEST = ("key,size\n" + "".join(f"{one},{n % 9}\n" for n, one in enumerate(IDS))).encode()
KNOWN = {one: "ab"[n % 2] for n, one in enumerate(IDS)}
ANSWERS = ("truth,key\n" + "".join(f"{KNOWN[one]},{one}\n" for one in reversed(IDS))).encode()
WISH = plaincsv.Wish(
    "kinds", "Kinds", "Say a or b.", "kind", "accuracy", {}, id_column="key", answer_column="truth"
)


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def fault(wish=WISH, train=TRAIN, test=TEST, answers=ANSWERS):
    with pytest.raises(BadRequestError) as raised:
        givens.given(wish, train, test, answers)
    return raised.value


def test_students_get_the_files_as_they_are_and_answers_find_their_rows():
    folder = plaincsv.folder(WISH, givens.given(WISH, TRAIN, TEST, ANSWERS))
    assert (folder.public["train.csv"], folder.public["test.csv"]) == (TRAIN, TEST)
    assert [one["key"] for one in rows(folder.public["sample_submission.csv"])] == IDS
    assert {one["key"]: one["kind"] for one in rows(folder.answers)} == KNOWN
    assert folder.spec.submission.id.name == "key"


def test_the_public_part_is_drawn_by_the_seed_unless_the_answers_say_it():
    def usage(wish, answers=ANSWERS):
        return givens.given(wish, TRAIN, TEST, answers).usage

    first = usage(WISH)
    assert first.count("Public") == 30
    assert first == usage(WISH)
    assert first != usage(replace(WISH, seed=1))
    said = "truth,key,Usage\n" + "".join(
        f"{KNOWN[one]},{one},{'public' if n < 10 else 'Private'}\n" for n, one in enumerate(IDS)
    )
    assert usage(WISH, said.encode()) == ["Public"] * 10 + ["Private"] * 90


def test_counts_are_told_before_anything_is_made():
    counts = plaincsv.counts(WISH, givens.given(WISH, TRAIN, TEST, ANSWERS))
    assert (counts.train, counts.public, counts.private) == (200, 30, 70)
    assert [(name, train) for name, train, _, _ in counts.classes] == [("a", 100), ("b", 100)]
    assert counts.notes == ()


def test_a_class_that_nobody_can_learn_and_odd_columns_are_notes():
    answers = ANSWERS.replace(b"a,q0\n", b"c,q0\n")
    train = TRAIN.replace(b"key,size", b"key,width")
    notes = givens.given(WISH, train, TEST, answers).notes
    assert notes == (
        "Only the training rows have width.",
        "Only the test rows have size.",
        "Asked for and in no training row: c. Nobody can learn that.",
    )


@pytest.mark.parametrize(
    ("changed", "field", "place"),
    [
        ({"answers": ANSWERS.replace(b"b,q99", b",q99")}, "answers", (2, "truth", "nothing")),
        ({"answers": ANSWERS.replace(b",q98\n", b",q97\n")}, "answers", (4, "key", "q97")),
        ({"answers": ANSWERS.replace(b",q50\n", b",q500\n")}, "answers", (51, "key", "q500")),
        ({"test": TEST + b"q100,3\n"}, "test", (102, "key", "q100")),
        ({"test": TEST + b",3\n"}, "test", (102, "key", "nothing")),
        ({"train": TRAIN + b"t200,3,\n"}, "train", (202, "kind", "nothing")),
        ({"wish": replace(WISH, answer_column="real")}, "answer_column", (1, "real", "truth, key")),
    ],
)
def test_a_fault_is_told_with_file_line_and_column(changed, field, place):
    error = fault(**changed)
    assert error.facts["field"] == field
    first = error.facts["details"][0]
    assert (first["line"], first["column"], first["got"]) == place
    assert first["got"] in error.message


def test_many_faults_are_counted_and_the_first_are_listed():
    error = fault(answers=ANSWERS.replace(b",q", b",x"))
    assert "and 99 more like it" in error.message
    assert len(error.facts["details"]) == 20


def test_lines_are_those_of_the_file_where_cells_span_several():
    train = b'key,size,kind\nt0,"1\n2",a\n' + TRAIN.split(b"\n", 1)[1] + b"t200,1,\n"
    assert fault(train=train.replace(b"t0,0,a\n", b"t999,0,a\n")).facts["details"][0]["line"] == 204


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"test": TEST.replace(b"size", b"kind")}, "which is what is asked for"),
        ({"train": TRAIN.replace(b"kind", b"sort")}, "The training file has no column 'kind'"),
        ({"train": b"key\n1,2\n"}, "The training file, line 2: expected 1 fields, got 2"),
        (
            {
                "wish": replace(WISH, id_column=""),
                "answers": ANSWERS.replace(b"truth,key", b"truth,row"),
            },
            "no column in common",
        ),
        (
            {
                "answers": b"truth,key,Usage\n"
                + b"".join(f"{KNOWN[i]},{i},Public\n".encode() for i in IDS)
            },
            "No row of the answers is Private",
        ),
    ],
)
def test_what_does_not_go_together_is_said(changed, said):
    assert said in fault(**changed).message


def test_a_number_among_answers_that_is_none_is_found():
    train = b"id,x,y\n" + b"".join(b"%d,1,%d.5\n" % (n, n) for n in range(50))
    test = b"id,x\n" + b"".join(b"%d,1\n" % n for n in range(50, 80))
    answers = b"id,y\n" + b"".join(b"%d,%d.5\n" % (n, n) for n in range(50, 80))
    wish = plaincsv.Wish("n", "N", "Say y.", "y", "rmse", {})
    assert givens.given(wish, train, test, answers).id_name == "id"
    error = fault(wish, train, test, answers.replace(b"\n60,60.5", b"\n60,n/a"))
    assert error.facts["details"] == [
        {"line": 12, "column": "y", "expected": "a number, as in the other rows", "got": "n/a"}
    ]


def test_a_draft_of_three_files_is_checked_like_every_other(installation, factory):
    teacher = factory.person("teacher-01", "instructor")
    folder = plaincsv.folder(WISH, givens.given(WISH, TRAIN, TEST, ANSWERS))
    publishing.draft(installation, teacher, "kinds", folder)
    assert checkup.work(installation)
    with installation.database.reading() as session:
        checks = competitions.find(session, "kinds").checks
    assert checks["scores"]["perfect"] == {"public": 1.0, "private": 1.0}
    assert checks["faults"] == [
        "No baseline has a score yet. Hand in what a simple solution predicts."
    ]
