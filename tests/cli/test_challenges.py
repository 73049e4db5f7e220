"""`podium challenges` as somebody would type it."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys

import pytest

from podium import paths

DIGITS = paths.bundled("challenges") / "digits"


@pytest.fixture
def podium(tmp_path):
    """Runs `podium` in an empty folder, with a home of its own."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-P", "-m", "podium.cli", *map(str, arguments)],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PODIUM_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_list_names_the_bundled_challenges_in_each_format(podium):
    listed = json.loads(podium("challenges", "list", "--format", "json").stdout)
    digits = next(row for row in listed if row["slug"] == "digits")
    assert digits["metric"] == "accuracy"
    assert digits["editions"] == ["full", "small"]
    rows = list(csv.DictReader(io.StringIO(podium("challenges", "list", "--format", "csv").stdout)))
    assert [row["slug"] for row in rows] == [row["slug"] for row in listed]
    assert "Handwritten digits" in podium("challenges", "list").stdout


def test_check_says_that_a_sound_folder_is_fit(podium):
    done = podium("challenges", "check", "digits")
    assert (done.returncode, done.stdout) == (0, "")
    assert "digits is fit to be hosted." in done.stderr


def test_check_lists_every_fault_of_a_folder_and_exits_with_5(podium, tmp_path):
    folder = tmp_path / "digits"
    shutil.copytree(DIGITS, folder)
    (folder / "README.md").unlink()
    text = (folder / "challenge.toml").read_text()
    text = text.replace('level = "beginner"', 'level = "easy"').replace("daily = 5", "dayly = 5")
    (folder / "challenge.toml").write_text(text)
    done = podium("challenges", "check", folder)
    assert done.returncode == 5
    assert done.stdout.splitlines() == [
        "README.md is missing.",
        "challenge.toml, key 'level': expected 'beginner', 'intermediate' or 'advanced', "
        "got 'easy'.",
        "challenge.toml, key 'limits.dayly': expected no such key; did you mean 'daily'?, got 5.",
    ]
    assert "digits has 3 fault(s)." in done.stderr


def test_prepare_into_a_folder_writes_the_files_and_hosts_nothing(podium, tmp_path):
    arguments = ("challenges", "prepare", "digits", "--edition", "small", "--seed", 4)
    done = podium(*arguments, "--into", "mine")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "mine/public/sample_submission.csv",
        "mine/public/test.npz",
        "mine/public/train.npz",
    ]
    assert (tmp_path / "mine" / "private" / "answers.csv").is_file()
    assert not list(tmp_path.glob("home/*.db"))
    again = podium(*arguments, "--into", "mine")
    assert again.returncode != 0
    assert "is there already. Name a folder that is not." in again.stderr


def test_the_seed_of_a_hosted_challenge_cannot_be_chosen(podium):
    done = podium("challenges", "prepare", "digits", "--seed", 4)
    assert done.returncode == 2
    assert "kept private" in done.stderr


def test_an_unknown_challenge_is_answered_with_the_nearest(podium):
    done = podium("challenges", "prepare", "digit")
    assert done.returncode != 0
    assert "Did you mean 'digits'?" in done.stderr
