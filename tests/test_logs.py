import json
import logging
import subprocess
import sys

import pytest

SAYS = """
import logging, sys
from podium import logs
logs.begin(sys.argv[1])
log = logging.getLogger("podium.judging")
with logs.about(submission=3, attempt=1):
    log.warning("the file %r is gone", "a.csv")
log.warning("idle")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""


def said(style: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", SAYS, style], capture_output=True, text=True, check=True
    )
    return done.stderr.splitlines()


def test_a_line_for_people_says_what_it_is_about():
    lines = said("text")
    assert lines[0] == "WARNING podium.judging: the file 'a.csv' is gone (submission=3 attempt=1)"
    assert lines[1] == "WARNING podium.judging: idle"
    assert lines[2] == "ERROR podium.judging: failed"
    assert lines[-1] == "ZeroDivisionError: division by zero"


def test_a_line_for_machines_is_one_json_object():
    first, second, third = (json.loads(line) for line in said("json"))
    assert (first["event"], first["level"]) == ("the file 'a.csv' is gone", "warning")
    assert (first["submission"], first["attempt"]) == (3, 1)
    assert "submission" not in second
    assert "ZeroDivisionError" in third["exception"]


@pytest.mark.parametrize("name", ["podium.judging", "podium.runner"])
def test_the_loggers_of_podium_have_no_handlers_of_their_own(name):
    assert logging.getLogger(name).handlers == []
