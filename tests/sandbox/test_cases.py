"""Every hostile program of cases/ ends as its expect.toml says, and leaves nothing behind."""

import tomllib
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"


@pytest.mark.parametrize("case", sorted(folder.name for folder in CASES.iterdir()))
def test_a_hostile_program_is_contained(driver, case):
    expect = tomllib.loads((CASES / case / "expect.toml").read_text())
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
