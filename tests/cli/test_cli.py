"""The command line against a real server: what it prints, and how it exits."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import click
import pytest

from podium import accounts, competitions
from podium.cli import main, reference
from podium.models.record import now

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def ada(factory, signed_in):
    """Somebody who has joined the toy competition."""
    factory.competition()
    return signed_in(factory.member("ada-01"))


def test_login_keeps_a_token_that_logout_ends(installation, url, shell):
    shell.variables.clear()
    with installation.database.writing() as session:
        accounts.create_user(session, "ada-01", "ada@example.org", accounts.hashed("correct horse"))
    done = shell.run(
        *("login", "--url", url, "--handle", "ada-01", "--password-stdin"), stdin="correct horse\n"
    )
    assert done.returncode == 0, done.stderr
    assert "Signed in" in done.stderr
    kept = shell.folder / "config" / "podium" / "client.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert "correct horse" not in kept.read_text()
    assert json.loads(shell.run("whoami", "--format", "json").stdout)["handle"] == "ada-01"
    token = json.loads(kept.read_text())["token"]
    assert shell.run("logout").returncode == 0
    assert shell.run("whoami").returncode == 3
    with installation.database.reading() as session, pytest.raises(Exception, match="revoked"):
        accounts.caller_of_token(session, token)


def test_a_token_is_never_sent_to_another_server(installation, url, shell, factory):
    shell.variables.clear()
    caller = factory.person("ada-01")
    with installation.database.writing() as session:
        _, text = accounts.create_token(session, caller.id, "test")
    assert shell.run("login", "--url", url, "--token", text).returncode == 0
    assert shell.run("whoami").returncode == 0
    shell.variables["PODIUM_URL"] = url.replace("127.0.0.1", "localhost")
    assert shell.run("whoami").returncode == 3


def test_a_wrong_password_exits_with_3(shell):
    done = shell.run("login", "--handle", "nobody", "--password-stdin", stdin="x\n")
    assert done.returncode == 3
    assert "do not match" in done.stderr
    assert done.stdout == ""


def test_the_way_to_a_score(factory, signed_in, scorer, predictions):
    factory.competition()
    factory.offer("train.csv", b"id,label\n")
    bob = signed_in(factory.person("bob-01"))
    assert bob.run("competitions", "join", "toy").returncode == 0
    assert bob.run("config", "set", "competition", "toy").returncode == 0
    assert bob.run("download").stdout == "toy/train.csv\n"
    assert (bob.folder / "toy" / "train.csv").read_bytes() == b"id,label\n"
    bob.write("preds.csv", predictions(20))
    done = bob.run("submit", "-f", "preds.csv", "-m", "first", "--wait", "--format", "json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["public"]["accuracy"]["value"] == 1.0
    assert "Scored" in done.stderr
    board = json.loads(bob.run("leaderboard", "--format", "json").stdout)
    assert [(row["rank"], row["team"], row["score"]) for row in board] == [(1, "bob-01", 1.0)]
    assert "1.00000" in bob.run("leaderboard").stdout
    limits = json.loads(bob.run("limits", "--format", "json").stdout)
    assert (limits["used_today"], limits["allowed_now"]) == (1, 4)
    rows = list(csv.DictReader(io.StringIO(bob.run("submissions", "--format", "csv").stdout)))
    assert (rows[0]["state"], rows[0]["score"], rows[0]["message"]) == ("scored", "1.0", "first")
    assert "received" in bob.run("submission", str(shown["id"]), "--logs").stdout


def test_a_broken_download_goes_on_and_is_checked(ada, factory):
    content = bytes(range(256)) * 4000
    factory.offer("big.bin", content)
    target = ada.folder / "here"
    target.mkdir()
    (target / "big.bin.part").write_bytes(content[:500_000])
    assert ada.run("download", "toy", "-p", "here").returncode == 0
    assert (target / "big.bin").read_bytes() == content
    (target / "big.bin").write_bytes(b"changed by hand")
    (target / "big.bin.part").write_bytes(b"of another file")
    assert ada.run("download", "toy", "-f", "big.bin", "-p", "here").returncode == 0
    assert (target / "big.bin").read_bytes() == content
    assert not (target / "big.bin.part").exists()


@pytest.mark.parametrize(
    "command", [("submit", "toy", "-f", "preds.csv", "--dry-run"), ("download", "toy")]
)
def test_a_terminal_shows_a_progress_bar_and_a_pipe_does_not(ada, factory, predictions, command):
    factory.offer("train.csv", b"id,label\n" * 100)
    ada.write("preds.csv", predictions(20))
    ours, theirs = pty.openpty()
    on_terminal = subprocess.Popen(
        [sys.executable, "-P", "-m", "podium.cli", *command],
        cwd=ada.folder,
        env=os.environ | ada.variables | {"COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    printed, _ = on_terminal.communicate(timeout=60)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "100%" in shown
    assert b"%" not in printed
    assert "%" not in ada.run(*command).stderr


def test_a_dry_run_tells_each_fault_and_exits_with_5(ada):
    ada.write("bad.csv", "id,label\n" + "".join(f"{i},99\n" for i in range(20)))
    done = ada.run("submit", "toy", "-f", "bad.csv", "--dry-run")
    assert done.returncode == 5
    assert "line 2, column label: expected an integer from 0 to 9, got" in done.stderr
    assert "Nothing was counted" in done.stderr
    assert ada.run("score", "toy", "-f", "bad.csv").returncode == 5


def test_an_invalid_submission_exits_with_5_after_waiting(ada, scorer):
    ada.write("bad.csv", "id,label\n0,1\n")
    done = ada.run("submit", "toy", "-f", "bad.csv", "--wait")
    assert done.returncode == 5
    assert "invalid" in done.stdout


def test_not_waiting_long_enough_exits_with_9(ada, predictions):
    ada.write("preds.csv", predictions(1))
    done = ada.run("submit", "toy", "-f", "preds.csv", "--wait", "0.3")
    assert done.returncode == 9
    assert "podium submission 1 --wait" in done.stderr


def test_a_cancelled_submission_exits_with_7(ada, predictions):
    ada.write("preds.csv", predictions(1))
    ada.run("submit", "toy", "-f", "preds.csv")
    assert ada.run("cancel", "1").returncode == 0
    assert ada.run("submission", "1", "--wait").returncode == 7
    assert ada.run("cancel", "1").returncode == 2


def test_limits_and_deadlines_exit_with_6(ada, installation, predictions):
    ada.write("preds.csv", predictions(1))
    with installation.database.writing() as session:
        competitions.find(session, "toy").daily_limit = 1
    assert ada.run("submit", "toy", "-f", "preds.csv").returncode == 0
    done = ada.run("submit", "toy", "-f", "preds.csv")
    assert (done.returncode, "daily limit of 1" in done.stderr) == (6, True)
    with installation.database.writing() as session:
        competitions.find(session, "toy").closes_at = now() - timedelta(seconds=1)
    done = ada.run("submit", "toy", "-f", "preds.csv")
    assert (done.returncode, "deadline" in done.stderr) == (6, True)


def test_what_is_missing_or_not_allowed_has_its_exit_code(
    ada, shell, factory, signed_in, predictions
):
    ada.write("preds.csv", predictions(1))
    ada.write("empty.csv", "")
    bob = signed_in(factory.person("bob-01"))
    ada.run("submit", "toy", "-f", "preds.csv")
    for who, code, *command in (
        (shell, 3, "submit", "toy", "-f", "preds.csv"),
        (bob, 3, "submit", "toy", "-f", "preds.csv"),
        (bob, 4, "submission", "1"),
        (ada, 4, "submit", "toyy", "-f", "preds.csv"),
        (ada, 4, "download", "toy", "-f", "nothing"),
        (ada, 3, "leaderboard", "toy", "--private"),
        (ada, 5, "submit", "toy", "-f", "empty.csv"),
        (ada, 2, "submit", "toy", "-f", "not-there.csv"),
        (ada, 2, "submit", "-f", "preds.csv"),
        (ada, 2, "submit", "toy", "-f", "preds.csv", "--kind", "agent"),
    ):
        done = who.run(*command)
        assert done.returncode == code, (command, done.stderr)
        assert done.stdout == ""
        assert done.stderr.strip()


def test_a_file_over_the_limit_exits_with_5(ada, installation):
    with installation.database.writing() as session:
        challenge = competitions.find(session, "toy").challenge
        submission = challenge.spec["submission"] | {"max_file_mib": 1}
        challenge.spec = challenge.spec | {"submission": submission}
    with (ada.folder / "huge.csv").open("wb") as file:
        file.truncate(1 << 30)
    done = ada.run("submit", "toy", "-f", "huge.csv")
    assert (done.returncode, "1,048,576" in done.stderr) == (5, True)


def test_a_server_that_is_not_there_exits_with_8(shell):
    shell.variables["PODIUM_URL"] = "http://127.0.0.1:9"
    done = shell.run("competitions", "list")
    assert done.returncode == 8
    assert "http://127.0.0.1:9 does not answer" in done.stderr


def test_a_folder_that_cannot_be_written_is_said(ada, factory):
    factory.offer("train.csv", b"x")
    ada.write("toy", "a file where the folder would be")
    done = ada.run("download", "toy")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "toy" in done.stderr


def test_a_wrong_command_is_answered_with_the_nearest(shell):
    done = shell.run("submitt")
    assert (done.returncode, "Did you mean 'submit'" in done.stderr) == (2, True)
    done = shell.run("competitions", "lst")
    assert (done.returncode, "Did you mean 'list'" in done.stderr) == (2, True)


def test_c_is_short_for_competitions(shell, factory):
    factory.competition()
    assert "toy" in shell.run("c", "list").stdout
    assert json.loads(shell.run("c", "list", "--format", "json").stdout)[0]["slug"] == "toy"


def test_score_with_answers_gives_the_score_of_the_board(ada, installation, scorer, predictions):
    ada.write("preds.csv", predictions(14))
    done = ada.run("submit", "toy", "-f", "preds.csv", "--wait", "--format", "json")
    submitted = json.loads(done.stdout)
    root = Path(installation.storage.root)
    answers = next(root.rglob("answers"))
    done = ada.run(
        *("score", "toy", "-f", "preds.csv", "--answers", str(answers), "--format", "json")
    )
    scores = {row["split"]: row for row in json.loads(done.stdout)}
    assert scores["public"]["value"] == submitted["public"]["accuracy"]["value"]
    assert scores["public"]["low"] == submitted["public"]["accuracy"]["low"]
    assert scores["public"]["signature"] == submitted["signature"]
    ada.write("own.csv", predictions(20))
    done = ada.run("score", "toy", "-f", "preds.csv", "--answers", "own.csv", "--format", "json")
    assert [(row["split"], row["value"]) for row in json.loads(done.stdout)] == [("all", 0.7)]


def test_the_whole_board_is_written_as_csv(ada, factory, installation, scorer, predictions):
    factory.submit(factory.member("bob-01"), predictions(5))
    ada.write("preds.csv", predictions(20))
    ada.run("submit", "toy", "-f", "preds.csv", "--wait")
    ada.run("submission", "1", "--wait")
    assert ada.run("leaderboard", "toy", "--download").stdout == "toy-leaderboard.csv\n"
    with (ada.folder / "toy-leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["rank"], row["team"]) for row in rows] == [("1", "ada-01"), ("2", "bob-01")]
    top = ada.run("leaderboard", "toy", "--top", "1", "--format", "csv").stdout
    assert len(top.splitlines()) == 2


def test_what_others_wrote_cannot_steer_the_terminal(ada, predictions):
    ada.write("preds.csv", predictions(1))
    ada.run("submit", "toy", "-f", "preds.csv", "-m", "a\x1b[31mred\nnext")
    shown = ada.run("submissions", "toy").stdout
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2


SIDES = ("Compete", "Host")
HERE = {"challenges", "run", "score"}  # work on this machine, beside or instead of a server


def test_client_commands_load_neither_web_nor_database_nor_numbers(database_url):
    code = (
        "import sys; from podium.cli import main, COMMANDS;"
        "import click; ctx = click.Context(main);"
        f"names = {{n for n, e in COMMANDS.items() if e.section in {SIDES}}} - {HERE!r};"
        "loaded = [main.get_command(ctx, n) for n in names | {'operation'}];"
        "assert len(loaded) > 30;"
        "import podium.client;"
        "heavy = {'flask', 'sqlalchemy', 'pydantic', 'pandas', 'numpy', 'rich', 'redis', 'rq'};"
        "heavy |= {'torch', 'sklearn', 'scipy', 'requests', 'podium_scoring', 'podium.config'};"
        "found = heavy & set(sys.modules); assert not found, found"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


@pytest.mark.parametrize("command", ["--help", "--version", "config", "completion"])
def test_what_asks_no_server_loads_no_http(command, database_url):
    arguments = {"config": ["config", "show"], "completion": ["completion", "bash"]}
    code = (
        "import sys; from podium.cli import main;"
        f"main({arguments.get(command, [command])!r}, standalone_mode=False);"
        "found = {'urllib3', 'ssl', 'http.client'} & set(sys.modules); assert not found, found"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True)


def commands_of(group, context):
    """Every command below a group, with its words."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = click.Context(command, parent=context, info_name=name)
        if isinstance(command, click.Group):
            yield from commands_of(command, inner)
        else:
            yield inner.command_path, command


def test_every_listing_is_a_table_csv_or_json(database_url):
    context = click.Context(main, info_name="podium")
    found = dict(commands_of(main, context))
    listings = {
        path: {option for parameter in command.params for option in parameter.opts}
        for path, command in found.items()
        if (command.help or "").startswith(("List", "Show", "Who ", "Everybody"))
    }
    assert len(listings) > 25
    assert [path for path, options in listings.items() if "--format" not in options] == []


def test_the_reference_of_commands_is_as_written_down(written_part, database_url):
    text = reference.sections()
    assert written_part("cli.md", text) == text


def test_the_help_is_as_written_down(shell, snapshot):
    pages = [["--help"]]
    listed = re.findall(r"^  ([a-z]+)  ", shell.run("--help").stdout, re.MULTILINE)
    host_and_operate = {"challenges", "up", "web", "worker", "reconcile", "db", "user"}
    pages += [[name, "--help"] for name in listed if name not in host_and_operate]
    pages += [["competitions", name, "--help"] for name in ("list", "show", "join")]
    shown = "\n\n".join(
        f"$ podium {' '.join(page)}\n{shell.run(*page).stdout.strip()}" for page in pages
    )
    assert snapshot("cli-help.txt", shown + "\n") == shown + "\n"
