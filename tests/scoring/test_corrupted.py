"""Files that something went wrong with, in every format: a score or a SubmissionError with a place.

Nothing else may come out, within bounded time and memory. The long form makes 10,000 files.
"""

import io
import json
import resource
import time
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium_scoring import SubmissionError
from podium_scoring.grading import Grading

N = 10
SECONDS = 5.0  # for a file of some kilobytes; the slowest seen took 0.1
MEBIBYTES = 400  # that the process may grow by, over all files of a format
SHORT, LONG = 40, 834  # files of each kind; 12 kinds make 10,008

IDS = {"id": {"name": "id", "type": "integer"}}
NAMES = {"id": {"name": "id", "type": "string"}}
DRAW = np.random.default_rng(0)
IMAGES = DRAW.integers(0, 3, (N, 8, 6)).astype(np.uint8)


def _rows(**columns):
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


KINDS = {
    "labels in CSV": (
        "accuracy",
        IDS | {"columns": [{"name": "label", "type": "integer", "low": 0, "high": 9}]},
        _rows(id=range(N), label=[i % 3 for i in range(N)]),
    ),
    "texts in CSV": (
        "chrf",
        NAMES | {"columns": [{"name": "text", "type": "string"}]},
        _rows(id=[f"n{i}" for i in range(N)], text=[f'a "b",\nc é {i}' for i in range(N)]),
    ),
    "probabilities in CSV": (
        "accuracy",
        IDS
        | {
            "columns": [{"name": "a", "type": "number"}, {"name": "b", "type": "number"}],
            "probabilities": ["a", "b"],
        },
        _rows(id=range(N), a=[0.25] * N, b=[0.75] * N),
    ),
    "items in CSV": (
        "ndcg",
        NAMES | {"columns": [{"name": "items", "type": "items", "high": 5}]},
        _rows(id=[f"u{i}" for i in range(N)], items=[f"x{i} y{i} z" for i in range(N)]),
    ),
    "runs in CSV": (
        "dice",
        IDS | {"columns": [{"name": "mask", "type": "runs", "shape": [6, 5]}]},
        _rows(id=range(N), mask=[f"{1 + i} 3 {9 + i} 2" for i in range(N)]),
    ),
    "lists in JSON Lines": (
        "ndcg",
        NAMES
        | {
            "format": "jsonl",
            "columns": [{"name": "item", "type": "integer"}],
            "repeated": True,
            "distinct": True,
        },
        _rows(id=[f"u{i // 2}" for i in range(N)], item=list(range(N))),
    ),
    "numbers in Parquet": (
        "rmse",
        IDS | {"format": "parquet", "columns": [{"name": "x", "type": "number"}]},
        _rows(id=list(range(N)), x=[i / 3 for i in range(N)]),
    ),
    "labels in npz": (
        "f1_macro",
        IDS | {"format": "npz", "columns": [{"name": "label", "type": "integer"}]},
        _rows(id=list(range(N)), label=[i % 3 for i in range(N)]),
    ),
    "masks in npz": (
        "mean_iou",
        IDS
        | {
            "format": "npz",
            "columns": [{"name": "image", "type": "integer", "low": 0, "high": 2, "shape": [8, 6]}],
        },
        _rows(id=list(range(N)), image=list(IMAGES)),
    ),
    "masks as PNG": (
        "mean_iou",
        IDS
        | {
            "format": "png",
            "columns": [{"name": "image", "type": "integer", "low": 0, "high": 2, "shape": [8, 6]}],
        },
        _rows(id=list(range(N)), image=list(IMAGES)),
    ),
    "boxes in JSON": (
        "coco_ap",
        {
            "format": "coco",
            "id": {"name": "image_id", "type": "integer"},
            "columns": [{"name": "category_id", "type": "integer", "allowed": ["1", "2"]}],
        },
        _rows(
            image_id=list(range(N)),
            category_id=[1 + i % 2 for i in range(N)],
            bbox=[[i, 0.5, 10, 20] for i in range(N)],
            score=[0.9 - i / 20 for i in range(N)],
        ),
    ),
    "texts a line": (
        "bleu",
        {
            "format": "txt",
            "id": {"name": "line", "type": "integer"},
            "columns": [{"name": "text", "type": "string"}],
        },
        _rows(line=range(1, N + 1), text=[f"the cat sat on the mat {i} é" for i in range(N)]),
    ),
}


@pytest.fixture(scope="module", params=KINDS)
def challenge(request, encoded):
    """The grading of a kind, its truth, and a sound file."""
    metric, submission, rows = KINDS[request.param]
    tables = {"metric": {"name": metric}, "submission": submission}
    answers = rows
    if metric == "accuracy" and "probabilities" in submission:
        tables["answers"] = {"columns": [{"name": "label", "type": "integer"}]}
        answers = _rows(id=range(N), label=[i % 2 for i in range(N)])
    if submission.get("format") == "coco":
        truth = {
            "images": [{"id": i} for i in range(N)],
            "categories": [{"id": 1}, {"id": 2}],
            "annotations": [{key: row[key] for key in row if key != "score"} for row in rows],
        }
        data = json.dumps(truth).encode()
    else:
        data = None
    grading = Grading.of(tables)
    data = data or encoded(answers, grading.answers.format)
    sound = encoded(rows, grading.submission.format)
    truth = grading.read_truth(data, usage=False)
    assert grading.score(grading.read_predictions(sound, truth.form), truth)
    return grading, truth, sound


WORDS = [
    *(b"", b"0", b"-1", b"99999999999999999999", b"1e999", b"NaN", b"Infinity", b"null", b"true"),
    *(b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b"[", b"]", b"{", b"}", b":"),
    *(b"\\ud800", b"\\u0000", b"[[[[[[", b"=1+1", b"\xe2\x80\xa8", b"  ", b"1_000", b"\xd9\xa1"),
    *(b"PK\x01\x02", b"PK\x05\x06", b"IHDR", b"IDAT", b"'<f8'", b"'|O'", b"(10,)", b"(99999,)"),
]


@st.composite
def damage(draw, content: bytes) -> bytes:
    """The content with one to four things done to its bytes."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.sampled_from([0, 0, 1, 1, 2, 4, 8, 60])))
        deed = draw(st.sampled_from(["word", "byte", "cut", "end", "again", "move"]))
        if deed == "word":
            content = content[:at] + draw(st.sampled_from(WORDS)) + content[end:]
        elif deed == "byte":
            content = content[:at] + draw(st.binary(min_size=1, max_size=4)) + content[end:]
        elif deed == "cut":
            content = content[:at] + content[end:]
        elif deed == "end":
            content = content[:at]
        elif deed == "again":
            content = content[:end] + content[at:end] * draw(st.integers(1, 3)) + content[end:]
        else:
            content = content[at:end] + content[:at] + content[end:]
    return content


@st.composite
def damaged(draw, sound: bytes) -> bytes:
    """A damaged file; of an archive often one whose members are damaged, and packed anew."""
    if not sound.startswith(b"PK") or draw(st.booleans()):
        return draw(damage(sound))
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sound)) as old, zipfile.ZipFile(file, "w") as new:
        names = old.namelist()
        for name in names:
            content = old.read(name)
            if draw(st.integers(0, len(names))) == 0 or len(names) < 3:
                content = draw(damage(content))
            how = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
            new.writestr(zipfile.ZipInfo(name), content, how)
    return file.getvalue()


def outcome(challenge, content):
    """The scores of a file, or the SubmissionError that refuses it; all else is raised."""
    grading, truth, _ = challenge
    try:
        return grading.score(grading.read_predictions(content, truth.form), truth)
    except SubmissionError as error:
        return error


def judge(challenge, content):
    """Hold that a score or a place comes out, in time."""
    started = time.monotonic()
    found = outcome(challenge, content)
    if isinstance(found, SubmissionError):
        assert found.details, found.message
        detail = found.details[0]
        assert detail.line is not None or detail.column, found.message
        assert found.message.encode()  # no half characters
    else:
        assert all(np.isfinite(one.value) for splits in found.values() for one in splits.values())
    assert time.monotonic() - started < SECONDS


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(challenge, examples: int) -> None:
    before = peak()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(content=damaged(challenge[2]))
    def check(content):
        judge(challenge, content)

    check()
    assert peak() - before < MEBIBYTES


def test_a_corrupted_file_is_scored_or_refused_with_a_place(challenge):
    run(challenge, SHORT)


@pytest.mark.slow
def test_ten_thousand_corrupted_files_are_scored_or_refused_with_a_place(challenge):
    run(challenge, LONG)
