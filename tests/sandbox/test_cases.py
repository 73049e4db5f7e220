"""Every hostile program of cases/ ends as its expect.toml says, and leaves nothing behind."""

import os
import tomllib
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
MODES = ("A", "A watched", "B") if os.geteuid() == 0 else ("B",)


EXPECTED = {
    folder.name: tomllib.loads((folder / "expect.toml").read_text())
    for folder in sorted(CASES.iterdir())
}
# Without control groups only the limits are held in another way.
RUNS = [
    (mode, case)
    for mode in MODES
    for case, expect in EXPECTED.items()
    if mode != "A watched" or "limits" in expect
]


def test_there_are_enough_cases_and_each_is_whole():
    assert len(EXPECTED) >= 45
    assert all((CASES / case / "program.txt").is_file() for case in EXPECTED)


@pytest.mark.parametrize(("driver", "case"), RUNS, indirect=["driver"])
def test_a_hostile_program_is_contained(driver, case):
    expect = EXPECTED[case]
    seen = driver.run(case)
    assert seen["cause"] == expect["cause"], (seen["reason"], seen["log"][-2000:])
    assert "REACHED" not in seen["log"], [
        line for line in seen["log"].splitlines() if "REACHED" in line
    ]
    assert not seen["leaked"]
    assert [word for word in expect.get("log", []) if word not in seen["log"]] == []
    assert expect.get("reason", "") in seen["reason"]
    assert seen["limit"] == expect.get("limit", seen["limit"])
    assert seen["truncated"] == expect.get("truncated", False)
    assert seen["taken"] == seen["files"] == expect.get("files", seen["files"])
    told = "\n".join(seen["refused"])
    assert [word for word in expect.get("refused", []) if word not in told] == []
    assert seen["left"] == []
    assert seen["left_files"] == []
    assert seen["seconds"] < 15


@pytest.mark.parametrize("driver", MODES, indirect=True)
def test_submitted_code_answers_batches(driver):
    seen = driver.predict("def predict(batch):\n    return batch[:, 0] * 2\n")
    assert seen == {"cause": "ok", "reason": "It answered everything.", "total": 9900.0}
