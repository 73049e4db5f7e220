"""The student's tutorial, command by command, from an empty home against `podium up`."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[1] / "docs" / "tutorial-student.md"
BIN = Path(sys.executable).parent
PASSWORD = "correct horse"
USED = ("digits", "game-agents")
READY_S = 400


@pytest.fixture
def server(tmp_path):
    """The address of a running Podium whose competitions of the tutorial are ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"PODIUM_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [BIN / "podium", "up", "--home", str(tmp_path / "home"), "--port", str(port)],
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    end = time.monotonic() + READY_S
    while not _are_open(url):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(1)
    yield url
    process.send_signal(signal.SIGINT)
    process.wait(60)


def _are_open(url):
    try:
        with urllib.request.urlopen(f"{url}/api/v1/competitions", timeout=5) as answer:
            listed = {one["slug"]: one["status"] for one in json.load(answer)["items"]}
    except OSError:
        return False
    return all(listed.get(slug) == "open" for slug in USED)


def blocks():
    """The page's code in its order: (kind, text, the file that the text before names)."""
    fenced = r"(?:Save this as `([^`]+)`[^`]*)?```(sh|python)\n(.*?)```"
    found = re.finditer(fenced, PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [(kind, text, name) for name, kind, text in (one.groups() for one in found)]


def test_every_command_of_the_tutorial_works(server, tmp_path):
    student = tmp_path / "student"
    student.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PODIUM_")}
    environment = kept | {"HOME": str(student), "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment.pop("XDG_CONFIG_HOME", None)
    folder = student

    def run(line, stdin=""):
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env=environment,
            input=stdin,
            text=True,
            capture_output=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        return done.stdout

    ran = 0
    for kind, text, name in blocks():
        if kind == "python":
            if name:
                (student / name).write_text(text, encoding="utf-8")
            continue
        for written in text.splitlines():
            if written.startswith("cd "):
                folder = (folder / shlex.split(written)[1]).resolve()
                continue
            line = written.replace("http://127.0.0.1:8000", server)
            line = line.replace("HANDLE EMAIL", "eva-01 eva@example.org")
            if " ID" in line:
                slug = "game-agents" if "episodes" in line else ""
                latest = json.loads(run(f"podium submissions {slug} --format json"))[0]["id"]
                line = line.replace(" ID", f" {latest}")
            if "EPISODE" in line:
                listed = json.loads(run(f"podium episodes {latest} --format json"))
                line = line.replace("EPISODE", str(listed[0]["id"]))
            if "account create" in line:
                run(f"{line} --password-stdin", f"{PASSWORD}\n")
            elif "podium login" in line:
                run(f"{line} --handle eva-01 --password-stdin", f"{PASSWORD}\n")
            else:
                run(line)
            ran += 1
    assert ran >= 20
    states = json.loads(run("podium submissions digits --format json"))
    assert {(one["kind"], one["state"]) for one in states} == {
        ("predictions", "scored"),
        ("model", "scored"),
        ("code", "scored"),
    }
    agents = json.loads(run("podium submissions game-agents --format json"))
    assert [(one["kind"], one["state"]) for one in agents] == [("agent", "scored")]
    assert "data-player" in (student / "flight.html").read_text()
