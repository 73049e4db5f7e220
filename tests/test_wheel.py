"""The installed wheel, away from the checkout: it carries its data and needs nothing beside it."""

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment that holds the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # A copy, so that nothing is built inside the checkout.
    shutil.copytree(
        ROOT,
        source,
        ignore=shutil.ignore_patterns(".venv", "var", ".git", "*_cache", "__pycache__", "tests"),
    )
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, source)
    (wheel,) = folder.glob("podium-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "podium/_bundled/challenges/digits/small.npz" in names
    assert "podium/web/templates/base.html" in names
    assert "podium/catalogs/de.po" in names
    assert not any(name.startswith(("platform/", "tests/")) for name in names)
    venv.create(folder / "venv", with_pip=True)
    bin_folder = folder / "venv" / "bin"
    constraints = ROOT / "constraints.txt"
    run(bin_folder / "python", "-m", "pip", "install", "-q", "-c", constraints, wheel)
    return bin_folder


def run(*command: object, **variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PODIUM_")}
    done = subprocess.run(
        [str(word) for word in command],
        cwd="/",
        env=kept | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_wheel_lists_prepares_and_migrates_without_the_checkout(installed, tmp_path):
    listed = json.loads(run(installed / "podium", "challenges", "list", "--format", "json"))
    assert "digits" in [challenge["slug"] for challenge in listed]
    home = {"PODIUM_HOME": str(tmp_path)}
    run(installed / "podium", "db", "upgrade", **home)
    assert (tmp_path / "podium.db").stat().st_size > 0
    run(installed / "podium", "challenges", "check", "digits", **home)


def test_the_web_process_of_the_wheel_serves_without_torch(installed, tmp_path):
    program = """
import sys
from podium.app import create_app
client = create_app().test_client()
assert client.get("/").status_code == 200
assert client.get("/api/v1/openapi.json").status_code == 200
heavy = {"torch", "sklearn", "pandas", "onnxruntime"} & set(sys.modules)
assert not heavy, heavy
"""
    home = {"PODIUM_HOME": str(tmp_path)}
    run(installed / "podium", "db", "upgrade", **home)
    run(installed / "python", "-P", "-c", program, **home)
