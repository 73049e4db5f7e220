"""`python -m podium_scoring` as somebody would type it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from podium_scoring import METRICS, Signature
from podium_scoring.__main__ import main


@pytest.fixture
def score(tmp_path, capsys):
    """Scores two files by `main`; gives the exit code and what was printed as JSON."""

    def run(metric, predictions, answers, *arguments):
        files = []
        for role, (name, content) in (("answers", answers), ("predictions", predictions)):
            (tmp_path / role).mkdir(exist_ok=True)
            file = tmp_path / role / name
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
            files += [f"--{role}", str(file)]
        code = main(["score", metric, *files, "--format", "json", *arguments])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_list_names_every_metric(capsys):
    assert main(["list", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(METRICS)
    assert main(["list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(METRICS)


NAMES = (
    "accuracy balanced_accuracy top_k_accuracy precision recall f1_macro f1_micro f1_weighted "
    "log_loss roc_auc average_precision matthews quadratic_kappa brier calibration_error rmse mae "
    "mape r2 rmsle spearman coco_ap coco_ap50 coco_ap75 mean_iou dice bleu chrf chrf_pp ter "
    "recall_at_k mrr distinct_n ndcg map_at_k precision_at_k hit_rate coverage novelty frechet "
    "kernel_distance generative_precision generative_recall density coverage_manifold copy_rate "
    "mean_return win_rate bradley_terry"
)


def test_the_names_are_those_that_were_promised():
    assert set(METRICS) == set(NAMES.split())


def test_a_score_is_told_with_its_interval_and_signature(score):
    code, said = score("accuracy", ("p.csv", "id,y\n2,b\n1,a\n"), ("a.csv", "id,y\n1,a\n2,c\n"))
    assert code == 0
    assert list(said) == ["metric", "value", "low", "high", "n", "higher_is_better", "signature"]
    assert (said["metric"], said["value"], said["n"]) == ("accuracy", 0.5, 2)
    assert Signature.parse(said["signature"]).metric == "accuracy"


def test_a_bad_file_exits_with_5_and_its_places(score):
    code, said = score("accuracy", ("p.csv", "id,y\n1,1\n2,x\n"), ("a.csv", "id,y\n1,1\n2,0\n"))
    assert code == 5
    assert said["error"]["details"] == [
        {"line": 3, "column": "y", "expected": "an integer", "got": "'x'"}
    ]


def test_a_wrong_name_is_answered_with_the_nearest(score):
    code, said = score("acuracy", ("p.csv", "id,y\n1,1\n"), ("a.csv", "id,y\n1,1\n"))
    assert (code, said["error"]["code"]) == (2, "challenge_fault")
    assert "Did you mean 'accuracy'" in said["error"]["message"]


def test_usage_in_the_answers_has_no_part(score):
    code, said = score(
        "rmse",
        ("p.csv", "row,y\n1,1.5\n2,2\n"),
        ("a.csv", "row,y,Usage\n1,1.5,Public\n2,4,Private\n"),
        *("--id-column", "row"),
    )
    assert (code, said["value"]) == (0, pytest.approx(2**0.5))


FILES = {
    "log_loss": (
        ("p.csv", "id,no,yes\n1,0.25,0.75\n2,0.5,0.5\n"),
        ("a.csv", "id,label\n1,yes\n2,no\n"),
        [],
        -(np.log(0.75) + np.log(0.5)) / 2,
    ),
    "roc_auc": (
        ("p.csv", "id,score\n1,-3\n2,0.5\n3,7\n"),
        ("a.csv", "id,label\n1,0\n2,1\n3,1\n"),
        [],
        1.0,
    ),
    "bleu": (("p.txt", "the cat sat\non it\n"), ("a.txt", "the cat sat\non it\n"), [], 0.0),
    "chrf": (("p.txt", "the cat sat\n"), ("a.csv", "id,text\n1,the cat sat\n"), [], 100.0),
    "ndcg": (
        ("p.csv", "id,items\n1,a b\n"),
        ("a.csv", "id,item,gain\n1,a,1\n1,b,3\n"),
        ["--option", "k=2"],
        0.7967075809905066,
    ),
    "hit_rate": (
        ("p.csv", "id,item,score\n1,7,0.1\n1,8,0.9\n"),
        ("a.csv", "id,items\n1,8\n"),
        ["--option", "k=1"],
        1.0,
    ),
    "recall_at_k": (("p.csv", "id,c0,c1\n1,0.9,0.1\n"), ("a.csv", "id,place\n1,1\n"), [], 0.0),
    "map_at_k": (
        ("p.csv", "id,i1,i2,i3\n1,x,y,z\n"),
        ("a.csv", "id,items\n1,y\n"),
        ["--option", "k=3"],
        0.5,
    ),
    "dice": (
        ("p.csv", "id,mask\n1,1 2\n"),
        ("a.csv", "id,mask\n1,2 2\n"),
        ["--option", "shape=2x2", "--option", "background=false"],
        0.5,
    ),
    "mean_return": (("p.csv", "id,r\n1,10\n2,20\n"), ("a.csv", "id,seed\n1,4\n2,5\n"), [], 15.0),
    "bradley_terry": (
        ("p.csv", "id,won\n1,1\n2,0\n"),
        ("a.csv", "id,a,b\n1,x,y\n2,x,y\n"),
        ["--option", "agent=x"],
        1000.0,
    ),
    "coco_ap": (
        ("p.json", '[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 9, 9], "score": 1}]'),
        (
            "a.json",
            '{"images": [{"id": 1}], "categories": [{"id": 2}], "annotations": '
            '[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 9, 9]}]}',
        ),
        [],
        1.0,
    ),
}


@pytest.mark.parametrize("metric", FILES)
def test_files_without_a_declaration_are_understood(score, metric):
    predictions, answers, arguments, expected = FILES[metric]
    code, said = score(metric, predictions, answers, *arguments)
    assert code == 0, said
    assert said["value"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("with_ids", [False, True])
def test_arrays_of_features_need_no_ids(score, encoded, with_ids):
    features = np.random.default_rng(0).normal(size=(30, 2))
    rows = [({"id": i} if with_ids else {}) | {"f": one} for i, one in enumerate(features)]
    file = encoded(rows, "npz")
    code, said = score("frechet", ("p.npz", file), ("a.npz", file))
    assert (code, said["n"]) == (0, 30)
    assert said["value"] == pytest.approx(0, abs=1e-9)


def test_masks_are_taken_from_zips_of_images(score, encoded):
    mask = np.eye(4, dtype=np.uint8)
    file = encoded([{"id": 3, "image": mask}, {"id": 8, "image": 1 - mask}], "png")
    code, said = score("mean_iou", ("p.zip", file), ("a.zip", file))
    assert (code, said["value"]) == (0, 1.0)


def test_the_module_can_be_run(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("id,y\n1,1\n")
    command = [sys.executable, "-P", "-m", "podium_scoring", "score", "accuracy"]
    done = subprocess.run(
        [*command, "--answers", file, "--predictions", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("accuracy 1 (95 %: 0.206549 to 1), n = 1, higher is better\n")
