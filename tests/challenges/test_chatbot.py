import json
import lzma
import zipfile
from collections import Counter
from itertools import pairwise

import pytest

from podium import catalog, datasets, inspection, paths

FOLDER = paths.bundled("challenges") / "chatbot"
SPEC = catalog.read(FOLDER)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    into = tmp_path_factory.mktemp("chatbot") / "new"
    return datasets.prepare(SPEC, FOLDER, "small", 3, into, cache=into.parent / "cache")


def load(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def questions(prepared):
    return load(prepared.folder / "public" / "test.jsonl")


@pytest.fixture(scope="module")
def replies(prepared):
    answers = SPEC.grading.read_truth(prepared.answers.read_bytes()).answers
    return dict(zip(answers.ids.tolist(), answers.columns["reply"].tolist(), strict=True))


def test_nothing_is_wrong_with_the_folder(tmp_path):
    assert inspection.inspect(FOLDER, "small", tmp_path) == []


def test_a_question_has_ten_different_replies_and_a_context(questions):
    assert 2000 < len(questions) < 3000
    assert all(len(set(each["candidates"])) == 10 for each in questions)
    assert all(2 <= len(each["context"]) <= 5 for each in questions)


def test_the_true_reply_stands_at_every_place_equally_often(questions, replies):
    places = Counter(replies[each["id"]] for each in questions)
    assert set(places) == set(range(10))
    assert max(places.values()) < 1.4 * min(places.values())


def test_a_look_up_of_the_last_turn_finds_every_reply_as_the_page_says(questions, replies):
    with lzma.open(FOLDER / "small.jsonl.xz", "rt", encoding="utf-8") as file:
        talks = [json.loads(line) for line in file]
    follows = {pair for talk in talks for pair in pairwise(talk)}
    for each in questions:
        found = [
            place
            for place, text in enumerate(each["candidates"])
            if (each["context"][-1], text) in follows
        ]
        assert replies[each["id"]] in found


def test_the_package_is_read_without_short_and_rough_talks_and_without_addresses(tmp_path):
    def talk(*turns):
        return {"messages": [[{"text": text} for text in turn] for turn in turns]}

    whole = {
        "a": talk(["Hi", "there"], ["Hello"], ["write to me@mail.example"], ["ok"]),
        "b": talk(["Hi"], ["Hello"]),
        "c": talk(["Hi"], ["Hello"], ["Bullshit"], ["Shitty day"]),
    }
    wheel = tmp_path / "talks.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("chitchat_dataset/dataset.json", json.dumps(whole))
    decoded = datasets.recipe(FOLDER).decode({"data": wheel}, "full")
    assert decoded["text"] == ["Hi there", "Hello", "write to …", "ok"]
    assert decoded["conversation"].tolist() == [0, 0, 0, 0]
