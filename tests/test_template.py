import re
import tomllib

import pytest

from podium import catalog, inspection, template
from podium.errors import BadRequestError

HEADER = "area,rooms,kind,id,price"


def table(rows=1600, price="{n}.5"):
    lines = [
        f"{20 + n},{n % 5},{'ab'[n % 2]},{n},{price.format(n=n, k=min(n % 5, 2))}"
        for n in range(rows)
    ]
    return "\n".join([HEADER, *lines]) + "\n"


@pytest.fixture
def made(tmp_path):
    """The folder of a table, by the content of its last column."""

    def of(price):
        (tmp_path / "table.csv").write_text(table(price=price))
        template.write(tmp_path / "some-prices", tmp_path / "table.csv", "price")
        return tmp_path / "some-prices"

    return of


@pytest.mark.parametrize(
    ("price", "metric", "form"),
    [
        ("{n}.5", "rmse", {"name": "price", "type": "number"}),
        ("{n}", "rmse", {"name": "price", "type": "number"}),
        ("{k}", "accuracy", {"name": "price", "type": "integer", "low": 0, "high": 2}),
        (
            "kind {k}",
            "accuracy",
            {"name": "price", "type": "string", "allowed": ["kind 0", "kind 1", "kind 2"]},
        ),
    ],
)
def test_the_target_says_how_it_is_scored(made, price, metric, form):
    declared = tomllib.loads((made(price) / "challenge.toml").read_text())
    (column,) = declared["submission"]["columns"]
    assert declared["metric"]["name"] == metric
    assert {name: column[name] for name in form} == form
    assert set(column) == {*form, "description"}


def test_only_what_a_person_knows_is_left_and_then_the_folder_is_fit(made, tmp_path):
    folder = made("{k}")
    faults = inspection.inspect(folder, "small", tmp_path)
    assert faults == list(inspection.unfilled(folder))
    assert "README.md, line 3, is to be filled in: <<What is to be found out" in faults[0]
    for name in ("README.md", "challenge.toml"):
        file = folder / name
        file.write_text(re.sub("<<[^>]*>>", "Said.", file.read_text()))
    assert inspection.inspect(folder, "small", tmp_path) == []


def test_a_column_of_ids_is_left_out(made):
    folder = made("{n}.5")
    assert '"id"' not in (folder / "checksums.toml").read_text()
    assert "id, area, rooms, kind, price" in catalog.read(folder).data.files[0].description


@pytest.mark.parametrize(
    ("name", "content", "target", "words"),
    [
        ("Some Prices", table(), "price", "cannot be the slug"),
        ("prices", table(), "prize", "no column 'prize' to ask for. Did you mean 'price'"),
        ("prices", table(), "id", "no column 'id' to ask for"),
        ("prices", table(rows=90), "price", "has 90 rows. At least 1500 are needed"),
        ("prices", table() + "1,2,a,3\n", "price", "Line 1602 of the table has 4 fields"),
        ("prices", table() + "1,2,a,3,\n", "price", "Line 1602 of the table has no 'price'"),
        ("prices", "", "price", "no CSV in UTF-8 with a header"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_and_nothing_is_made(
    tmp_path, name, content, target, words
):
    (tmp_path / "table.csv").write_text(content)
    with pytest.raises(BadRequestError, match=re.escape(words)):
        template.write(tmp_path / name, tmp_path / "table.csv", target)
    assert not (tmp_path / name).exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "prices").mkdir()
    with pytest.raises(BadRequestError, match="is there already"):
        template.write(tmp_path / "prices")
