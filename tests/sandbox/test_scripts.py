"""Scripts that read /data and write /out, first on a hundredth of the inputs."""

import contextlib
import io
import threading
import zipfile

import numpy as np
import pytest

from podium.sandbox import Bubblewrap, Cause, Limits, scripts
from podium.sandbox.bundle import read_bundle
from podium.sandbox.pool import Stock
from podium.sandbox.scripts import trial_binds

GOOD = b"""
import csv
import numpy as np
with open("/data/test.csv") as file:
    ids = [row["id"] for row in csv.DictReader(file)]
x = np.load("/data/x.npy")
assert len(x) == len(ids)
print(len(ids), "rows")
with open("/out/predictions.csv", "w") as file:
    file.write("id,label\\n")
    file.writelines(f"{i},{int(v)}\\n" for i, v in zip(ids, x))
"""


@pytest.fixture
def inputs(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "test.csv").write_text("id,text\n" + "".join(f'{i},"a\nb"\n' for i in range(500)))
    np.save(folder / "x.npy", np.arange(500))
    np.savez(folder / "more.npz", a=np.zeros((500, 3)), scale=np.array(2.0))
    (folder / "notes.txt").write_text("as it is")
    for path in (tmp_path, folder):
        path.chmod(0o755)
    return folder


@pytest.fixture
def outputs(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def stock():
    with contextlib.closing(Stock(Bubblewrap.here(), size=1, memory_mib=2048)) as stock:
        yield stock


@pytest.fixture(params=["cold", "warm"])
def run_script(request, stock):
    """As a worker runs it, without and with sandboxes that wait."""
    taken = []

    def take():
        taken.append(stock.take(Limits()))
        return taken[-1]

    def run(*arguments, **options):
        return scripts.run_script(
            *arguments, take=take if request.param == "warm" else None, **options
        )

    yield run
    assert bool(taken) == (request.param == "warm")


def test_a_script_runs_on_little_and_then_on_all(run_script, inputs, outputs):
    heard = []
    outcome = run_script(read_bundle(GOOD), inputs, outputs, Limits(), on_log=heard.append)
    assert outcome.ok
    assert "".join(heard) == "5 rows\n500 rows\n"
    assert (outputs / "predictions.csv").read_text().count("\n") == 501


def test_a_typo_in_the_last_line_shows_on_the_trial(run_script, inputs, outputs):
    outcome = run_script(read_bundle(GOOD + b"\nprnt('done')\n"), inputs, outputs, Limits())
    assert outcome.cause is Cause.EXCEPTION
    assert "first 1 %" in outcome.reason
    assert outcome.last_lines(1) == "NameError: name 'prnt' is not defined. Did you mean: 'print'?"
    assert list(outputs.iterdir()) == []


def test_a_script_that_writes_nothing_breaks_the_contract(run_script, inputs, outputs):
    outcome = run_script(read_bundle(b"open('/out/preds.csv', 'w')"), inputs, outputs, Limits())
    assert outcome.cause is Cause.PROTOCOL
    assert "without a file /out/predictions.csv. In /out was preds.csv." in outcome.reason


def test_a_link_as_predictions_is_left_behind_and_said_so(run_script, inputs, outputs):
    code = b"import os\nos.symlink('/data/test.csv', '/out/predictions.csv')"
    outcome = run_script(read_bundle(code), inputs, outputs, Limits())
    assert "neither a file nor a folder" in outcome.reason


def test_modules_of_a_bundle_are_found(run_script, inputs, outputs):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mine/predict.py", "from lib.deep import answer\nanswer()")
        archive.writestr(
            "mine/lib/deep.py", "def answer():\n    open('/out/predictions.csv', 'w').close()"
        )
    assert run_script(read_bundle(buffer.getvalue()), inputs, outputs, Limits()).ok


def test_tables_and_arrays_are_cut_and_the_rest_is_as_it_was(inputs, tmp_path):
    little = tmp_path / "little"
    little.mkdir()
    binds = {bind.target: bind.source for bind in trial_binds(inputs, little)}
    assert (little / "test.csv").read_text().count('"a\nb"') == 5
    assert len(np.load(little / "x.npy")) == 5
    with np.load(little / "more.npz") as arrays:
        assert arrays["a"].shape == (5, 3)
        assert float(arrays["scale"]) == 2.0
    assert binds["/data/notes.txt"] == inputs / "notes.txt"


def test_it_is_the_main_program_whose_exit_counts(run_script, inputs, outputs):
    code = b"""
import os, sys, multiprocessing
def square(x):
    return x * x
if __name__ == "__main__":
    assert sys.argv == ["/code/predict.py"] and __file__ == "/code/predict.py"
    assert os.getcwd() == "/scratch" and sys.path[0] == "/code"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(square, [3]) == [9]
    assert sys.stdin.read() == ""
    sys.exit(3)
"""
    outcome = run_script(read_bundle(code), inputs, outputs, Limits())
    assert (outcome.cause, outcome.exit_status) == (Cause.EXCEPTION, 3), outcome.log


def test_what_a_script_leaves_for_its_end_is_done(run_script, inputs, outputs):
    code = b"""
import atexit, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
file = open("/out/predictions.csv", "w")
atexit.register(lambda: (file.write("late"), file.close()))
threading.Thread(target=lambda: (time.sleep(0.2), print("thread done"))).start()
ThreadPoolExecutor(1).submit(print, "pool done")
sys.stdout.write("no newline")
sys.exit(None)
"""
    outcome = run_script(read_bundle(code), inputs, outputs, Limits())
    assert outcome.ok, outcome.log
    assert (outputs / "predictions.csv").read_text() == "late"
    for words in ("thread done", "pool done", "no newline"):
        assert words in outcome.log


@pytest.mark.parametrize("held", ["", "def write():\n    out.write('more')\n"])
def test_a_file_that_nobody_closes_is_whole(run_script, inputs, outputs, held):
    code = f"{held}out = open('/out/predictions.csv', 'w')\nout.write('a' * 9000)\n"
    code += "import zipfile\narchive = zipfile.ZipFile('/out/a.zip', 'w')\n"
    code += "archive.writestr('x', 'y')\n"
    outcome = run_script(read_bundle(code.encode()), inputs, outputs, Limits())
    assert outcome.ok, outcome.log
    assert (outputs / "predictions.csv").read_text() == "a" * 9000
    assert zipfile.ZipFile(outputs / "a.zip").read("x") == b"y"


def test_words_as_exit_are_printed_and_are_a_failure(run_script, inputs, outputs):
    outcome = run_script(read_bundle(b"raise SystemExit('no data')"), inputs, outputs, Limits())
    assert (outcome.exit_status, outcome.log) == (1, "no data\n")


def test_a_trace_shows_the_students_lines_only(run_script, inputs, outputs):
    outcome = run_script(read_bundle(b"def f():\n    1 / 0\nf()\n"), inputs, outputs, Limits())
    assert "serve.py" not in outcome.log
    assert '"/code/predict.py", line 2, in f' in outcome.log


def test_a_run_that_is_cancelled_ends_in_either_way(run_script, inputs, outputs):
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    code = b"import time\ntime.sleep(60)\n"
    outcome = run_script(read_bundle(code), inputs, outputs, Limits(), stop=stop)
    assert outcome.cause is Cause.CANCELLED


def test_what_is_large_is_bound_and_not_copied(stock, inputs, outputs):
    limits = Limits(disk_mib=8)
    with (inputs / "big.bin").open("wb") as file:
        file.truncate(3 << 20)
    code = b"import os\nassert not os.access('/data', os.W_OK)\nopen('/out/predictions.csv', 'w')"
    ran = scripts.run_script(read_bundle(code), inputs, outputs, limits, take=lambda: 1 / 0)
    assert ran.ok, ran.log
