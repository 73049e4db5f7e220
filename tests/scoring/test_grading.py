"""From the files of a challenge to its scores, in every format and for every family."""

import io
import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

from podium_scoring import ChallengeError, Signature, SubmissionError
from podium_scoring.features import Network, convolutional, save
from podium_scoring.grading import Grading

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "challenge.md"
DECLARED = [
    tomllib.loads(block)
    for block in re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
]
COLUMNS = {
    "id": {"name": "id", "type": "integer"},
    "columns": [{"name": "label", "type": "integer", "low": 0, "high": 9}],
}


def graded(tables, predictions, answers, **options):
    grading = Grading.of(tables)
    truth = grading.read_truth(answers, **options)
    return grading.score(grading.read_predictions(predictions, truth.form), truth)


def values(scores):
    return {
        name: {split: s.value for split, s in splits.items()} for name, splits in scores.items()
    }


@pytest.mark.parametrize("tables", DECLARED, ids=lambda tables: tables["metric"]["name"])
def test_every_declaration_of_the_reference_page_can_be_scored_by(tables):
    assert Grading.of(tables).first.name == tables["metric"]["name"]


@pytest.mark.parametrize("answers_in", ["csv", "jsonl", "parquet", "npz"])
@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "npz"])
def test_a_table_scores_the_same_in_every_format(encoded, format, answers_in):
    tables = {
        "metric": {"name": "accuracy", "also": ["f1_macro"]},
        "submission": COLUMNS | {"format": format},
        "answers": {"format": answers_in},
    }
    answers = [
        {"id": i, "label": i % 3, "Usage": "Public" if i < 4 else "Private"} for i in range(10)
    ]
    rows = [{"id": i, "label": 0} for i in reversed(range(10))]
    scores = values(graded(tables, encoded(rows, format), encoded(answers, answers_in)))
    assert scores["accuracy"] == {"public": 0.5, "private": pytest.approx(1 / 3)}
    assert scores["f1_macro"]["public"] == pytest.approx(2 / 3 / 3)


def test_labels_and_probabilities_of_one_file_go_to_their_metrics(encoded):
    tables = DECLARED[0] | {"metric": DECLARED[0]["metric"] | {"also": ["accuracy", "matthews"]}}
    rows = [
        {"id": 1, "label": "positive", "negative": 0.5, "positive": 0.5},
        {"id": 2, "label": "negative", "negative": 0.75, "positive": 0.25},
    ]
    answers = [{"id": 1, "label": "positive"}, {"id": 2, "label": "positive"}]
    scores = graded(tables, encoded(rows, "csv"), encoded(answers, "csv"), usage=False)
    assert values(scores)["accuracy"] == {"all": 0.5}


def test_the_most_probable_class_is_the_label_where_only_probabilities_are_asked(encoded):
    names = ["cat", "dog", "eel"]
    tables = {
        "metric": {"name": "accuracy"},
        "submission": {
            "id": COLUMNS["id"],
            "columns": [{"name": name, "type": "number"} for name in names],
            "probabilities": names,
        },
        "answers": {"columns": [{"name": "kind", "type": "string"}]},
    }
    rows = [
        {"id": 1, "cat": 0.2, "dog": 0.5, "eel": 0.3},
        {"id": 2, "cat": 0.4, "dog": 0.4, "eel": 0.2},
        {"id": 3, "cat": 0.0, "dog": 0.0, "eel": 1.0},
    ]
    answers = [{"id": 3, "kind": "eel"}, {"id": 2, "kind": "dog"}, {"id": 1, "kind": "dog"}]
    scores = graded(tables, encoded(rows, "csv"), encoded(answers, "csv"), usage=False)
    assert scores["accuracy"]["all"].value == pytest.approx(2 / 3)  # of equals, the first
    rows[1]["cat"] = 0.7
    with pytest.raises(SubmissionError, match=r"Line 3, column 'cat … eel'.*the sum 1\.3"):
        graded(tables, encoded(rows, "csv"), encoded(answers, "csv"), usage=False)


def test_a_text_a_line_belongs_to_its_number_whatever_the_order_of_the_answers(encoded):
    tables = DECLARED[1]
    texts = ["the cat sat", "a dog ran home", "under the old tree"]
    answers = [
        {"line": i + 1, "text": text, "Usage": "Public" if i else "Private"}
        for i, text in reversed(list(enumerate(texts)))
    ]
    file = "\n".join([*texts[:2], "something else"]).encode()
    scores = values(graded(tables, file, encoded(answers, "csv")))
    assert scores["chrf"]["private"] == pytest.approx(100)
    assert 0 < scores["chrf"]["public"] < 100
    with pytest.raises(SubmissionError, match="one for each of the 3 ids"):
        graded(tables, b"one\ntwo\n", encoded(answers, "csv"))


LISTS = {
    "items": ("csv", {"columns": [{"name": "items", "type": "items"}]}, lambda u: [{"items": u}]),
    "item columns": (
        "csv",
        {
            "columns": [{"name": "first", "type": "string"}, {"name": "second", "type": "string"}],
            "distinct": True,
        },
        lambda u: [dict(zip(("first", "second"), u.split(), strict=True))],
    ),
    "rows": (
        "jsonl",
        {"columns": [{"name": "item", "type": "string"}], "repeated": True, "distinct": True},
        lambda u: [{"item": item} for item in u.split()],
    ),
}


@pytest.mark.parametrize("form", LISTS)
def test_ranked_lists_score_the_same_in_every_form(encoded, form):
    format, submission, rows_of = LISTS[form]
    tables = {
        "metric": {"name": "ndcg", "options": {"k": 2}, "also": ["recall_at_k", "coverage"]},
        "submission": {"id": {"name": "user", "type": "string"}, "format": format} | submission,
        "answers": {
            "format": "csv",
            "repeated": False,
            "columns": [{"name": "items", "type": "items"}],
        },
    }
    lists = {"u1": "a b", "u2": "c a", "u3": "d e"}
    rows = [{"user": user, **row} for user, items in lists.items() for row in rows_of(items)]
    answers = [
        {"user": "u3", "items": "a", "Usage": "Public"},
        {"user": "u2", "items": "a b", "Usage": "Public"},
        {"user": "u1", "items": "b", "Usage": "Private"},
    ]
    scores = values(graded(tables, encoded(rows, format), encoded(answers, "csv")))
    # u2 has a hit in the second place: (1 / log2 3) / (1 + 1 / log2 3); u3 none
    assert scores["ndcg"]["public"] == pytest.approx(0.5 * 0.6309297535714575 / 1.6309297535714575)
    assert scores["ndcg"]["private"] == pytest.approx(0.6309297535714575)
    assert scores["recall_at_k"] == {"public": 0.0, "private": 0.0}  # of the first place


def test_gains_in_a_second_column_grade_the_items(encoded):
    tables = DECLARED[2] | {
        "metric": {"name": "ndcg", "options": {"k": 2}},
        "answers": {
            "columns": [{"name": "items", "type": "items"}, {"name": "gains", "type": "string"}]
        },
    }
    answers = [{"user": 1, "items": "a b", "gains": "3 1"}]
    rows = [{"user": 1, "items": "b a"}]
    scores = graded(tables, encoded(rows, "csv"), encoded(answers, "csv"), usage=False)
    # (1 + 3 · 0.6309) / (3 + 1 · 0.6309)
    assert scores["ndcg"]["all"].value == pytest.approx(0.7967075809905066)


def test_the_place_of_the_true_reply_is_looked_up_among_the_candidates(encoded):
    rows = [{"id": 1, "c0": 0.2, "c1": 0.9}, {"id": 2, "c0": 0.8, "c1": 0.1}]
    answers = [{"id": 1, "place": 1}, {"id": 2, "place": 1}]
    scores = graded(DECLARED[3], encoded(rows, "csv"), encoded(answers, "csv"), usage=False)
    assert values(scores) == {"recall_at_k": {"all": 0.5}, "mrr": {"all": 0.75}}


def test_boxes_are_parted_by_the_split_of_their_image(encoded):
    box = {"category_id": 1, "bbox": [10, 10, 20, 20]}
    truth = {
        "images": [{"id": 5, "Usage": "Public"}, {"id": 3, "Usage": "Private"}],
        "categories": [{"id": number} for number in range(3)],
        "annotations": [box | {"image_id": 5}, box | {"image_id": 3}],
    }
    found = [
        box | {"image_id": 3, "score": 0.9},
        box | {"image_id": 5, "score": 0.8, "bbox": [90, 90, 5, 5]},
    ]
    scores = values(graded(DECLARED[4], encoded(found, "coco"), json.dumps(truth).encode()))
    assert scores["coco_ap"] == {"public": 0.0, "private": pytest.approx(1.0)}
    assert values(graded(DECLARED[4], b"[]", json.dumps(truth).encode()))["coco_ap50"] == {
        "public": 0.0,
        "private": 0.0,
    }


@pytest.mark.parametrize("format", ["npz", "png", "runs"])
def test_masks_score_the_same_in_every_format(encoded, format):
    from podium_scoring.segmentation import encode_runs

    generator = np.random.default_rng(3)
    truth, guess = (generator.integers(0, 2, (4, 6, 5)).astype(np.uint8) for _ in range(2))
    usage = ["Public", "Private", "Public", "Private"]
    column = {"name": "image", "type": "integer", "low": 0, "high": 1, "shape": [6, 5]}
    rows = [{"id": i, "image": guess[i]} for i in range(4)]
    answers = [{"id": i, "image": truth[i], "Usage": usage[i]} for i in range(4)]
    if format == "runs":
        column = {"name": "image", "type": "runs", "shape": [6, 5]}
        rows = [row | {"image": encode_runs(row["image"])} for row in rows]
        answers = [row | {"image": encode_runs(row["image"])} for row in answers]
    file_format = "csv" if format == "runs" else format
    tables = {
        "metric": {"name": "dice", "options": {"background": False}},
        "submission": {"id": COLUMNS["id"], "columns": [column], "format": file_format},
    }
    answers_format = "csv" if format == "runs" else "npz"
    scores = graded(tables, encoded(rows, file_format), encoded(answers, answers_format))
    for split, kept in (("public", [0, 2]), ("private", [1, 3])):
        both = (truth[kept] & guess[kept]).sum()
        expected = 2 * both / (truth[kept].sum() + guess[kept].sum())
        assert scores["dice"][split].value == pytest.approx(expected)


@pytest.fixture
def real_images(tmp_path):
    """Forty images as answers, with the weights of a network; and the network itself."""
    torch.manual_seed(0)
    sha256 = save(convolutional(3), tmp_path / "weights.npz")
    network = Network.read("tiny", tmp_path / "weights.npz", sha256)
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3)).astype(np.uint8)
    file = io.BytesIO()
    weights = {f"network.{name}": array for name, array in network.weights.items()}
    usage = np.array(["Public", "Private"] * 20)
    np.savez(file, id=np.arange(40), image=images, Usage=usage, **weights)
    return file.getvalue(), images, network


# A zip of PNG is as good as the array that was asked for.
@pytest.mark.parametrize(("declared", "sent"), [("npz", "npz"), ("png", "png"), ("npz", "png")])
def test_generated_images_are_compared_by_the_network_of_the_answers(
    encoded, real_images, declared, sent
):
    answers, images, network = real_images
    tables = {
        "metric": {"name": "frechet", "also": ["copy_rate"]},
        "submission": DECLARED[5]["submission"] | {"rows": 20, "format": declared},
        "answers": DECLARED[5]["answers"] | {"columns": DECLARED[5]["answers"]["columns"][:1]},
    }
    fakes = np.random.default_rng(1).integers(0, 256, (20, 16, 16, 3)).astype(np.uint8)
    rows = [{"id": i, "image": fakes[i]} for i in range(20)]
    scores = graded(tables, encoded(rows, sent), answers)
    from podium_scoring import compute

    for split, kept in (("public", images[::2]), ("private", images[1::2])):
        expected = compute("frechet", network.features(fakes), network.features(kept)).value
        assert scores["frechet"][split].value == pytest.approx(expected, rel=1e-6)
    signature = Signature.parse(str(scores["frechet"]["public"].signature))
    assert signature.made_with["network"].startswith("portraits-1@")


@pytest.fixture
def gated():
    """Images that are compared with those kept, and refused if they copy those given."""
    column = {"name": "image", "type": "integer", "low": 0, "high": 255, "shape": [16, 16, 3]}
    gate = {"name": "copy_rate", "answers": ["train"], "gate": 0.25}
    return {
        "metric": {"name": "frechet", "answers": ["image"], "also": [gate]},
        "submission": DECLARED[5]["submission"] | {"rows": 20},
        "answers": {"network": "tiny", "columns": [column, column | {"name": "train"}]},
    }


@pytest.fixture
def kept_and_given(real_images):
    """Answers whose forty kept images stand beside forty that were given, and the latter."""
    given = np.random.default_rng(2).integers(0, 256, (40, 16, 16, 3)).astype(np.uint8)
    with np.load(io.BytesIO(real_images[0])) as arrays:
        whole = {name: arrays[name] for name in arrays.files}
    file = io.BytesIO()
    np.savez(file, **whole, train=given)
    return file.getvalue(), given


@pytest.mark.parametrize(("copies", "is_taken"), [(5, True), (6, False)])
def test_a_gate_looks_at_all_answers_and_refuses_what_is_worse(
    encoded, gated, kept_and_given, copies, is_taken
):
    answers, given = kept_and_given
    drawn = np.random.default_rng(1).integers(0, 256, (20, 16, 16, 3)).astype(np.uint8)
    drawn[:copies] = given[:copies]
    file = encoded([{"id": i, "image": drawn[i]} for i in range(20)], "npz")
    if is_taken:
        splits = graded(gated, file, answers)["copy_rate"]
        assert [splits[split].value for split in ("public", "private")] == [0.25, 0.25]
        return
    with pytest.raises(SubmissionError, match=r"Copy rate is 0.3. .* takes at most 0.25."):
        graded(gated, file, answers)


def test_the_best_generated_images_are_the_kept_ones(gated, kept_and_given):
    grading = Grading.of(gated)
    truth = grading.read_truth(kept_and_given[0])
    perfect = grading.perfect(truth).columns["image"]
    assert (perfect == truth.answers.columns["image"][:20]).all()


WRONG = {
    "a gate that ranks": ({"metric": {"gate": 0.5}}, "can be no gate"),
    "an unknown format": ({"submission": {"format": "xls"}}, "format 'xls'"),
    "a metric twice": ({"metric": {"also": ["accuracy"]}}, "each once"),
    "an unknown column": ({"metric": {"columns": ["lable"]}}, "reads 'lable'"),
    "an unknown option": ({"metric": {"options": {"k": 2}}}, "no option 'k'"),
    "a column of another type": (
        {"answers": {"columns": [{"name": "label", "type": "string"}]}},
        "compares integer classes with string ones",
    ),
    "a strange key": (
        {"submission": {"columns": [{"name": "a", "type": "integer", "most": 3}]}},
        "A column has 'most'",
    ),
    "answers as images": ({"answers": {"format": "txt"}}, "no room for Usage"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_declaration_that_cannot_be_scored_by_is_refused(case, encoded):
    change, words = WRONG[case]
    tables = {"metric": {"name": "accuracy"}, "submission": COLUMNS, "answers": {}}
    tables = {name: table | change.get(name, {}) for name, table in tables.items()}
    with pytest.raises(ChallengeError, match=words):
        Grading.of(tables).read_truth(b"1\n")


def test_the_answers_score_best_by_their_own_submission(example):
    ideal = example.grading.perfect(example.truth)
    if ideal is None:  # images, and replies: the answers tell none
        assert example.grading.first.record.takes in ("images", "replies", "games", "episodes")
        return
    found = example.grading.score(ideal, example.truth)[example.name]["all"]
    assert found.value == pytest.approx(example.score().value)
