"""`podium up` as somebody meets it: the README's commands, and kill -9 of every part."""

import json
import os
import re
import runpy
import shlex
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file

from podium import catalog

ROOT = Path(__file__).parent.parent
PODIUM = [sys.executable, "-P", "-m", "podium.cli"]


@dataclass
class Tree:
    """A running `podium up`."""

    home: Path
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def parts(self, words: str) -> list[psutil.Process]:
        """Processes of the tree whose command line holds `words`."""
        inside = psutil.Process(self.process.pid).children(recursive=True)
        return [part for part in inside if words in " ".join(part.cmdline())]

    def kill(self, words: str) -> None:
        """kill -9 the parts with these words in their command lines."""
        victims = self.parts(words)
        assert victims, f"nothing runs {words}"
        for victim in victims:
            victim.kill()

    def text(self) -> str:
        return self.log.read_text()


def start(home: Path, *options: str) -> Tree:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home.with_suffix(".log")
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*PODIUM, "up", "--home", home, "--port", str(port), *options],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
        )
    tree = Tree(home, f"http://127.0.0.1:{port}", process, log)
    wait_until(lambda: f"Podium is ready: {tree.url}" in tree.text(), 90, tree.text)
    return tree


def stop(tree: Tree, number: int = signal.SIGTERM) -> list[psutil.Process]:
    """Ask the tree to end; returns what is left of it."""
    everything = psutil.Process(tree.process.pid).children(recursive=True)
    tree.process.send_signal(number)
    tree.process.wait(60)
    _, left = psutil.wait_procs(everything, timeout=5)
    return left


def clean_environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PODIUM_")}
    # Nothing is downloaded: what has to be fetched is shown as such, with the reason. And only
    # digits trains its baseline: the others would take the processors for minutes.
    # Two threads of torch that wait for each other crawl where other tests run beside.
    few = {"PODIUM_PRACTICE_BASELINES": "1", "OMP_NUM_THREADS": "1"}
    return kept | {"PODIUM_OFFLINE": "1"} | few | variables


def wait_until(is_met: Callable[[], bool], limit_s: float, why: Callable[[], str]) -> None:
    end = time.monotonic() + limit_s
    while not is_met():
        if time.monotonic() > end:
            pytest.fail(f"not within {limit_s} s. {why()}")
        time.sleep(0.1)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """One tree with the practice competitions, for the tests that do not end it."""
    running = start(tmp_path_factory.mktemp("up") / "home")
    yield running
    if running.process.poll() is None:
        stop(running)


@pytest.fixture(scope="module")
def student(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs a command of the README as a student would, in an own folder and configuration."""
    return signed_up(tree, tmp_path_factory.mktemp("student"), "ada-01")


@pytest.fixture(scope="module")
def coder(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Another student, who has signed in and joined."""
    run = signed_up(tree, tmp_path_factory.mktemp("coder"), "bob-01")
    run(f"podium login --url {tree.url} --handle bob-01 --password-stdin", "correct horse\n")
    run("podium competitions join digits")
    return run


def signed_up(tree: Tree, folder: Path, handle: str) -> Callable[..., str]:
    """A new account, and its command line in a folder."""
    (folder / "baselines").symlink_to(ROOT / "baselines")
    answer = requests.post(
        f"{tree.url}/api/v1/users",
        json={"handle": handle, "email": f"{handle}@example.org", "password": "correct horse"},
        timeout=30,
    )
    assert answer.status_code == 201

    def run(command: str, stdin: str = "", **variables: str) -> str:
        words = shlex.split(command.replace("http://127.0.0.1:8000", tree.url))
        words = PODIUM + words[1:] if words[0] == "podium" else [sys.executable, *words[1:]]
        done = subprocess.run(
            words,
            cwd=folder,
            env=clean_environment(XDG_CONFIG_HOME=str(folder / "config"), **variables),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    return run


def board(tree: Tree) -> list[dict[str, object]]:
    answer = requests.get(f"{tree.url}/api/v1/competitions/digits/leaderboard", timeout=30)
    return list(answer.json()["items"])


def test_the_trained_baseline_comes_to_the_board(tree):
    wait_until(lambda: any(row["is_baseline"] for row in board(tree)), 120, tree.text)
    (baseline,) = [row for row in board(tree) if row["is_baseline"]]
    assert baseline["team"] == "Convolutional network"
    assert baseline["rank"] is None
    assert 0.94 <= baseline["score"] <= 0.995


def test_every_practice_competition_is_open_at_once_and_its_data_come_behind(tree):
    answer = requests.get(f"{tree.url}/api/v1/competitions", timeout=30)
    listed = {row["slug"]: row["status"] for row in answer.json()["items"]}
    bundled = [catalog.read(folder) for folder in catalog.bundled()]
    assert set(listed) == {spec.slug for spec in bundled if spec.practice}
    assert set(listed.values()) <= {"preparing", "open", "broken"}


def test_the_readmes_commands_lead_to_a_place_on_the_leaderboard(tree, student):
    readme = (ROOT / "README.md").read_text()
    section = readme.partition("## As a student")[2]
    commands = re.search(r"```sh\n(.*?)```", section, re.DOTALL).group(1).splitlines()
    assert commands[0].startswith(". .venv/bin/activate")
    for command in commands[1:]:
        if command.startswith("podium login"):
            student(f"{command} --handle ada-01 --password-stdin", stdin="correct horse\n")
        elif command.startswith("python baselines/"):
            student(f"{command} --small")  # the reduced form of the same script
        else:
            student(command)
    (mine,) = [row for row in board(tree) if row["team"] == "ada-01"]
    assert mine["rank"] == 1
    assert mine["score"] > 0.9


def test_podium_score_gives_the_operator_the_score_of_the_board(tree, student):
    answer = student(
        "podium score digits -f submission.csv --format json", PODIUM_HOME=str(tree.home)
    )
    rows = {(row["split"], row["metric"]): row for row in json.loads(answer)}
    public = rows["public", "accuracy"]
    (mine,) = [row for row in board(tree) if row["team"] == "ada-01"]
    assert (public["value"], public["low"]) == (mine["score"], mine["low"])


def test_a_student_gets_no_score_from_podium_score(tree, student):
    assert student("podium score digits -f submission.csv", PODIUM_HOME="/nowhere") == ""


SCRIPT = """
import numpy
test = numpy.load("/data/test.npz")
digits = test["image"].reshape(len(test["id"]), -1).sum(axis=1) % 10
with open("/out/predictions.csv", "w") as out:
    out.write("id,label\\n")
    out.writelines(f"{row},{digit}\\n" for row, digit in zip(test["id"], digits))
print("wrote", len(digits))
"""


def linear_model(weights) -> bytes:
    """An ONNX file: ten scores, each a weighted sum of the grey values."""
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["image"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "weights"], ["scores"]),
        ],
        "linear",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 28, 28])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    return model.SerializeToString()


def test_a_model_gets_the_score_of_the_file_that_it_would_write(coder):
    coder("podium download digits")
    folder = Path(coder("python -c 'import os; print(os.getcwd())'").strip())
    weights = np.random.default_rng(3).normal(size=(784, 10)).astype(np.float32)
    (folder / "linear.onnx").write_bytes(linear_model(weights))
    test = np.load(folder / "digits" / "test.npz")
    scaled = test["image"].astype(np.float32) * np.float32(0.00392156862745098)
    best = (scaled.reshape(len(scaled), -1) @ weights).argmax(axis=1)
    rows = "".join(f"{row},{digit}\n" for row, digit in zip(test["id"], best, strict=True))
    (folder / "linear.csv").write_text("id,label\n" + rows)
    scores = []
    for words in ("-f linear.csv", "-f linear.onnx --kind model"):
        answer = coder(f"podium submit digits {words} -m linear --wait 120 --format json")
        scores.append(json.loads(answer)["public"]["accuracy"])
    assert scores[0] == scores[1]


def test_weights_get_the_score_of_the_network_that_holds_them(coder):
    """The student's side of it: the published network.py, some weights, the file it would write."""
    folder = Path(coder("python -c 'import os; print(os.getcwd())'").strip())
    coder("podium download digits")
    torch.manual_seed(5)
    network = runpy.run_path(str(folder / "digits" / "network.py"))["build"]().eval()
    save_file(network.state_dict(), folder / "model.safetensors")
    test = np.load(folder / "digits" / "test.npz")
    with torch.inference_mode():
        images = torch.from_numpy(test["image"].astype(np.float32)) * np.float32(1 / 255)
        best = torch.cat([network(part) for part in images.split(256)]).argmax(1)
    rows = "".join(f"{row},{digit}\n" for row, digit in zip(test["id"], best, strict=True))
    (folder / "untrained.csv").write_text("id,label\n" + rows)
    coder("podium submit digits -f model.safetensors --kind model --dry-run")
    scores = []
    for words in ("-f untrained.csv", "-f model.safetensors --kind model"):
        answer = coder(f"podium submit digits {words} -m untrained --wait 120 --format json")
        scores.append(json.loads(answer)["public"]["accuracy"]["value"])
    assert scores[0] == pytest.approx(scores[1], abs=0.002)  # sums in another order


def test_code_is_run_and_what_it_wrote_is_scored(coder):
    folder = Path(coder("python -c 'import os; print(os.getcwd())'").strip())
    with zipfile.ZipFile(folder / "bundle.zip", "w") as bundle:
        bundle.writestr("predict.py", SCRIPT)
    coder("podium submit digits -f bundle.zip --kind code --dry-run")
    words = "podium submit digits -f bundle.zip --kind code -m sums --wait 120 --format json"
    answer = json.loads(coder(words))
    assert answer["state"] == "scored"
    assert answer["public"]["accuracy"]["value"] < 0.3
    log = coder(f"podium submission {answer['id']} --logs")
    assert "wrote 4000" in log


@pytest.mark.parametrize(
    "victim", ["podium.cli worker", "valkey-server", "gunicorn", "podium.cli reconcile"]
)
def test_a_part_that_is_killed_comes_back_and_nothing_is_lost(tree, student, victim):
    before = len(json.loads(student("podium submissions digits --format json")))
    tree.kill(victim)
    wait_until(lambda: answers(tree), 30, tree.text)
    state = json.loads(
        student(f"podium submit digits -f submission.csv -m '{victim}' --wait 60 --format json")
    )["state"]
    assert state == "scored"
    assert len(json.loads(student("podium submissions digits --format json"))) == before + 1


def answers(tree: Tree) -> bool:
    try:
        return requests.get(f"{tree.url}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def test_a_second_start_on_the_same_home_says_who_has_it(tree):
    command = [*PODIUM, "up", "--home", tree.home, "--port", "1"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=clean_environment(), timeout=60
    )
    assert done.returncode == 2
    assert f"is in use by `podium up`, process {tree.process.pid}" in done.stderr


def test_a_taken_port_is_a_clear_error(tree, tmp_path):
    port = tree.url.rpartition(":")[2]
    command = [*PODIUM, "up", "--home", tmp_path / "other", "--port", port]
    done = subprocess.run(
        command, capture_output=True, text=True, env=clean_environment(), timeout=60
    )
    assert done.returncode == 2
    assert f"podium up --port {int(port) + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_home_is_for_its_owner_only(tree):
    assert tree.home.stat().st_mode & 0o077 == 0


def test_kill_9_of_the_supervisor_leaves_no_process_and_it_starts_again_with_its_data(tree):
    rows = board(tree)
    everything = psutil.Process(tree.process.pid).children(recursive=True)
    assert len(everything) >= 5
    tree.process.kill()
    tree.process.wait()
    _, left = psutil.wait_procs(everything, timeout=5)
    assert left == []
    again = start(tree.home, "--no-demo")
    try:
        assert board(again) == rows
    finally:
        assert stop(again, signal.SIGINT) == []


def test_without_the_demo_there_is_no_competition(tmp_path):
    running = start(tmp_path / "home", "--no-demo")
    try:
        answer = requests.get(f"{running.url}/api/v1/competitions", timeout=30)
        assert answer.json()["items"] == []
        assert "Sign in as admin with the password" in running.text()
    finally:
        assert stop(running) == []
