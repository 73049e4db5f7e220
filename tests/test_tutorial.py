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


class Student:
    """Somebody at a fresh computer, who types what the page says."""

    def __init__(self, home, server):
        self.folder = home
        self.server = server
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PODIUM_")}
        kept.pop("XDG_CONFIG_HOME", None)
        self.environment = kept | {"HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}"}

    def run(self, line, stdin=""):
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            text=True,
            capture_output=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        return done.stdout

    def type(self, line):
        """A line of the page, with what a person puts in its place."""
        if line.startswith("cd "):
            self.folder = (self.folder / shlex.split(line)[1]).resolve()
            return
        line = line.replace("http://127.0.0.1:8000", self.server)
        line = line.replace("HANDLE EMAIL", "eva-01 eva@example.org")
        if " ID" in line or "EPISODE" in line:
            is_game = "episode" in line or "EPISODE" in line
            latest = self.listed(f"submissions {'game-agents' if is_game else ''}")[0]["id"]
            line = line.replace(" ID", f" {latest}")
        if "EPISODE" in line:
            line = line.replace("EPISODE", str(self.listed(f"episodes {latest}")[0]["id"]))
        if "account create" in line:
            self.run(f"{line} --password-stdin", f"{PASSWORD}\n")
        elif "podium login" in line:
            self.run(f"{line} --handle eva-01 --password-stdin", f"{PASSWORD}\n")
        else:
            self.run(line)

    def listed(self, command):
        return json.loads(self.run(f"podium {command} --format json"))


def test_every_command_of_the_tutorial_works(server, tmp_path):
    home = tmp_path / "student"
    home.mkdir()
    eva = Student(home, server)
    typed = 0
    for kind, text, name in blocks():
        if kind == "python" and name:
            (home / name).write_text(text, encoding="utf-8")
        for line in text.splitlines() if kind == "sh" else ():
            eva.type(line)
            typed += 1
    assert typed >= 25
    handed_in = {(one["kind"], one["state"]) for one in eva.listed("submissions digits")}
    assert handed_in == {("predictions", "scored"), ("model", "scored"), ("code", "scored")}
    agents = eva.listed("submissions game-agents")
    assert [(one["kind"], one["state"]) for one in agents] == [("agent", "scored")]
    assert "data-player" in (home / "flight.html").read_text(encoding="utf-8")
