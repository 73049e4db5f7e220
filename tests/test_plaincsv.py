from dataclasses import replace

import pytest

from podium import plaincsv
from podium.errors import BadRequestError

ROWS = [
    f"p{n},{n % 5},{n * 1.5},{'test' if n % 4 == 0 else 'train'},{'ab'[n % 2]}" for n in range(200)
]
CONTENT = ("person,site,age,part,kind\n" + "\n".join(ROWS) + "\n").encode()
WISH = plaincsv.Wish(
    "kinds", "Kinds", "Say a or b.", "kind", "accuracy", {}, id_column="person", seed=7
)


def folder(wish, content):
    return plaincsv.folder(wish, plaincsv.divided(wish, content))


def columns(content, *names):
    lines = content.decode().splitlines()
    header = lines[0].split(",")
    return [tuple(line.split(",")[header.index(n)] for n in names) for line in lines[1:]]


def test_rows_are_drawn_by_fraction_and_seed():
    first, again, other = (folder(replace(WISH, seed=seed), CONTENT) for seed in (7, 7, 8))
    assert (first.public, first.answers) == (again.public, again.answers)
    assert first.answers != other.answers
    counts = plaincsv.counts(WISH, plaincsv.divided(WISH, CONTENT))
    assert (counts.train, counts.public, counts.private) == (120, 24, 56)


def test_students_get_the_test_rows_without_the_answer():
    made = folder(WISH, CONTENT)
    assert made.public["test.csv"].splitlines()[0] == b"id,site,age,part"
    assert made.public["train.csv"].splitlines()[0] == b"id,site,age,part,kind"
    train, test = (columns(made.public[f"{p}.csv"], "id") for p in ("train", "test"))
    assert not set(train) & set(test)
    assert len(train) + len(test) == 200


def test_the_answers_are_those_of_the_table():
    made = folder(WISH, CONTENT)
    known = {row.split(",")[0]: row.split(",")[-1] for row in ROWS}
    answers = columns(made.answers, "id", "kind")
    assert answers == [(id_, known[id_]) for id_, _ in answers]


def test_a_column_may_say_which_rows_are_tested():
    wish = replace(WISH, split="column", by="part", test_value="test")
    made = folder(wish, CONTENT)
    tested = {id_ for (id_,) in columns(made.public["test.csv"], "id")}
    assert tested == {f"p{n}" for n in range(0, 200, 4)}
    assert b"part" not in made.public["test.csv"].splitlines()[0]


def test_a_group_is_never_cut_apart():
    wish = replace(WISH, split="group", by="site")
    made = folder(wish, CONTENT)
    train, test = (set(columns(made.public[f"{p}.csv"], "site")) for p in ("train", "test"))
    assert train
    assert test
    assert not train & test
    assert made.spec.data.groups == ["site"]


def test_rows_without_ids_are_numbered_at_random():
    made = folder(replace(WISH, id_column=""), CONTENT)
    ids = [int(id_) for (id_,) in columns(made.public["test.csv"], "id")]
    assert ids != sorted(ids)
    assert made.spec.submission.id.type == "integer"


@pytest.mark.parametrize(
    ("values", "metric", "expected"),
    [
        (["0", "1"], "accuracy", {"type": "integer", "low": 0, "high": 1}),
        (["1.5", "2"], "rmse", {"type": "number"}),
        (["a", "b"], "accuracy", {"type": "string", "allowed": ["a", "b"]}),
    ],
)
def test_the_form_of_a_submission_follows_the_values(values, metric, expected):
    rows = "".join(f"{n},{values[n % len(values)]}\n" for n in range(100))
    wish = replace(WISH, target="y", id_column="", metric=metric)
    found = folder(wish, f"x,y\n{rows}".encode()).spec.submission.columns[0]
    assert expected.items() <= found.model_dump(exclude_none=True).items()


@pytest.mark.parametrize(
    ("changed", "content", "said"),
    [
        ({"target": "sort"}, CONTENT, "no column 'sort'"),
        ({"id_column": "site"}, CONTENT, "stands in several rows"),
        ({"metric": "acuracy"}, CONTENT, "no metric 'acuracy'"),
        ({"split": "group", "by": "town"}, CONTENT, "no column 'town'"),
        ({"split": "column", "by": "part", "test_value": "none"}, CONTENT, "0 test rows"),
        ({"test_fraction": 1.0}, CONTENT, "0.05 to 0.95"),
        ({}, b"person,kind\na,b\n", "has 1 rows"),
        ({}, CONTENT + b"p200,1\n", "line 202: expected 5 fields, got 2"),
        ({}, CONTENT + b"p200,1,1,train,\n", "has no kind"),
        ({}, b"\xff", "not UTF-8"),
        ({}, b"a,a\n1,2\n", "a name of its own"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(changed, content, said):
    with pytest.raises(BadRequestError, match=said):
        folder(replace(WISH, **changed), content)
