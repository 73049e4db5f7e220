import csv
import lzma
from collections import Counter, defaultdict

import numpy as np
import pytest

from podium import catalog, datasets, inspection, paths

FOLDER = paths.bundled("challenges") / "recommender"
SPEC = catalog.read(FOLDER)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    into = tmp_path_factory.mktemp("recommender") / "new"
    return datasets.prepare(SPEC, FOLDER, "small", 3, into, cache=into.parent / "cache")


def load(file):
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def train(prepared):
    return load(prepared.folder / "public" / "train.csv")


@pytest.fixture(scope="module")
def answers(prepared):
    return load(prepared.answers)


def test_nothing_is_wrong_with_the_folder(tmp_path):
    assert inspection.inspect(FOLDER, "small", tmp_path) == []


def test_the_rows_are_as_the_page_says(prepared, train):
    assert len({row["user"] for row in train}) == 671
    assert 78_000 < len(train) < 82_000
    items = load(prepared.folder / "public" / "items.csv")
    assert len(items) == 9066
    assert sum(row["title"] == "" for row in items) == 5


def test_what_is_hidden_of_a_person_comes_after_what_is_shown(prepared, train, answers):
    with lzma.open(FOLDER / "small.csv.xz", "rt", encoding="utf-8", newline="") as file:
        sizes = Counter(Counter(row["user"] for row in csv.DictReader(file)).values())
    shown = Counter(row["user"] for row in train)
    assert sum(shown.values()) < sum(size * times for size, times in sizes.items())
    assert not {(row["user"], row["item"]) for row in train} & {
        (row["user"], row["item"]) for row in answers
    }


def test_both_halves_of_the_people_are_large_enough(prepared):
    truth = SPEC.grading.read_truth(prepared.answers.read_bytes())
    assert min(map(len, truth.splits.values())) >= 300


def test_a_look_up_in_movielens_finds_everybody_as_the_page_says(prepared, train, answers):
    titles = {
        row["item"]: (row["title"], row["genres"])
        for row in load(prepared.folder / "public" / "items.csv")
    }
    with lzma.open(FOLDER / "small.csv.xz", "rt", encoding="utf-8", newline="") as file:
        ratings = list(csv.DictReader(file))
    who = {(row["title"], row["time"], row["rating"]): row["user"] for row in ratings}
    votes = defaultdict(Counter)
    for row in train:
        found = who[titles[row["item"]][0], row["time"], str(float(row["rating"]))]
        votes[row["user"]][found] += 1
    named = defaultdict(list)
    for row in ratings:
        if float(row["rating"]) >= 4:
            named[row["user"]].append((row["title"], row["genres"]))
    numbers = {words: item for item, words in titles.items()}
    seen = {(row["user"], row["item"]) for row in train}
    lists = {
        user: [
            item
            for item in (numbers[words] for words in named[found.most_common(1)[0][0]])
            if (user, item) not in seen
        ]
        for user, found in votes.items()
    }
    wanted = defaultdict(set)
    for row in answers:
        wanted[row["user"]].add(row["item"])
    right = [len(wanted[user] & set(lists[user])) / len(wanted[user]) for user in wanted]
    assert np.mean(right) == pytest.approx(0.998, abs=0.002)
