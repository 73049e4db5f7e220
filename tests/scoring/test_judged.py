"""A submission of every family of metrics, judged by the platform's own worker code."""

import io
import json

import pytest
from sqlalchemy import select

from podium import checking
from podium.models import Evaluation, Submission

ONE_OF_EACH = [
    *("f1_macro", "log_loss", "rmse", "coco_ap", "mean_iou", "chrf", "distinct_n"),
    *("recall_at_k", "ndcg", "frechet", "mean_return"),
]


def with_usage(example):
    """The answers of an example, of which every other unit is public."""
    if example.annotations:
        images = [
            image | {"Usage": "Public" if i % 2 else "Private"}
            for i, image in enumerate(example.annotations["images"])
        ]
        return json.dumps(example.annotations | {"images": images}).encode()
    rows = [
        row | {"Usage": "Public" if i % 2 else "Private"} for i, row in enumerate(example.answers)
    ]
    return example.encode(rows, example.grading.answers.format)


@pytest.fixture(params=ONE_OF_EACH)
def hosted(request, examples, factory):
    """A competition ranked by a metric, and somebody in it."""
    example = examples[request.param]
    tables = example.tables | {"metric": {"name": example.name, "options": example.options}}
    factory.competition(declared=(tables, with_usage(example), example.file()))
    return example, factory.member("ada-01")


def test_each_family_is_checked_judged_and_put_on_the_board(installation, factory, hosted):
    example, ada = hosted
    checked = checking.check(installation, "toy", io.BytesIO(example.file()))
    assert (checked.ok, checked.message) == (True, "The file fits the published format.")
    submission_id = factory.submit(ada, example.file())
    factory.judge(submission_id)
    with installation.database.reading() as session:
        submission = session.get_one(Submission, submission_id)
        assert (submission.state, submission.reason) == ("scored", "")
        found = {row.split: row for row in session.scalars(select(Evaluation))}
    assert set(found) == {"public", "private"}
    assert found["public"].metric == example.name
    assert example.name in found["public"].signature


def test_a_bad_file_of_each_family_is_invalid_with_its_place(installation, factory, hosted):
    example, ada = hosted
    content = example.file(example.rows[:-1] if not example.annotations else [{"image_id": 1}])
    submission_id = factory.submit(ada, content)
    factory.judge(submission_id)
    with installation.database.reading() as session:
        submission = session.get_one(Submission, submission_id)
    assert submission.state == "invalid"
    assert submission.details
