"""Scripts that read /data and write /out, first on a hundredth of the inputs."""

import io
import zipfile

import numpy as np
import pytest

from podium.sandbox import Cause, Limits
from podium.sandbox.bundle import read_bundle
from podium.sandbox.scripts import run_script, trial_binds

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


def test_a_script_runs_on_little_and_then_on_all(inputs, outputs):
    heard = []
    outcome = run_script(read_bundle(GOOD), inputs, outputs, Limits(), on_log=heard.append)
    assert outcome.ok
    assert "".join(heard) == "5 rows\n500 rows\n"
    assert (outputs / "predictions.csv").read_text().count("\n") == 501


def test_a_typo_in_the_last_line_shows_on_the_trial(inputs, outputs):
    outcome = run_script(read_bundle(GOOD + b"\nprnt('done')\n"), inputs, outputs, Limits())
    assert outcome.cause is Cause.EXCEPTION
    assert "first 1 %" in outcome.reason
    assert outcome.last_lines(1) == "NameError: name 'prnt' is not defined. Did you mean: 'print'?"
    assert list(outputs.iterdir()) == []


def test_a_script_that_writes_nothing_breaks_the_contract(inputs, outputs):
    outcome = run_script(read_bundle(b"open('/out/preds.csv', 'w')"), inputs, outputs, Limits())
    assert outcome.cause is Cause.PROTOCOL
    assert "without a file /out/predictions.csv. In /out was preds.csv." in outcome.reason


def test_a_link_as_predictions_is_left_behind_and_said_so(inputs, outputs):
    code = b"import os\nos.symlink('/data/test.csv', '/out/predictions.csv')"
    outcome = run_script(read_bundle(code), inputs, outputs, Limits())
    assert "neither a file nor a folder" in outcome.reason


def test_modules_of_a_bundle_are_found(inputs, outputs):
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
