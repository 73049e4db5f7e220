"""Every baseline: it can be copied, says what it needs, and learns; so do the notebooks of them."""

import ast
import json
import subprocess
import sys

import pytest

from podium import catalog, datasets, headroom, paths, starters
from podium.rehearsal import OWN
from podium_scoring.tables import read_predictions

SPECS = {folder.name: catalog.read(folder) for folder in catalog.bundled()}
SCRIPTS = {baseline.script: spec for spec in SPECS.values() for baseline in spec.baselines}
# Enough to be far ahead of the sample submission on a stand-in.
REDUCED = {
    "sentiment.py": [],
    "sentiment-gru.py": ["--small", "--epochs", "8"],
    "cifar-10.py": ["--small", "--epochs", "1"],
    "chatbot.py": [],
    "detection.py": ["--small", "--epochs", "3"],
    "chatbot-encoder.py": ["--epochs", "1"],
    "translation.py": ["--rounds", "4"],
    "recommender-popular.py": [],
    "recommender.py": [],
    "recommender-towers.py": ["--epochs", "8"],
    "gan-art.py": ["--small"],
    "gan-art-vae.py": ["--small"],
}
# What draws is worse than a mean picture for its first minute.
PATIENT = {"gan-art.py": ["--steps", "3"], "gan-art-vae.py": ["--epochs", "1"]}
STARTERS = {spec.baselines[0].script for spec in SPECS.values()}


def run(script, *arguments, **options):
    command = [sys.executable, "-P", paths.bundled("baselines") / script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="session")
def prepared(tiny, tmp_path_factory):
    """The prepared stand-in of a challenge, made once."""
    made = {}

    def of(slug):
        if slug not in made:
            folder = tiny(slug)
            into = tmp_path_factory.mktemp(slug) / "new"
            spec, cache = catalog.read(folder), folder.parent / "cache"
            made[slug] = datasets.prepare(spec, folder, "small", 5, into, cache=cache)
        return made[slug]

    return of


def code_of(notebook: str) -> str:
    """The code of a notebook's cells, in their order."""
    cells = json.loads(notebook)["cells"]
    return "\n".join("".join(each["source"]) for each in cells if each["cell_type"] == "code")


def run_notebook(script, *arguments, folder):
    """Run the cells of the notebook of a script, in one namespace, as a kernel does."""
    path = paths.bundled("baselines") / script
    whole = folder / "cells.py"
    whole.write_text(code_of(starters.notebook(path, [str(each) for each in arguments])))
    return subprocess.run(
        [sys.executable, "-P", whole], capture_output=True, text=True, check=False, cwd=folder
    )


@pytest.mark.parametrize("script", PATIENT)
def test_what_a_generator_draws_at_first_has_the_form_of_a_submission(script, prepared, tmp_path):
    spec, data, out = SCRIPTS[script], prepared("gan-art"), tmp_path / "submission.npz"
    arguments = ("--data", data.folder / "public", "--out", out, "--small", *PATIENT[script])
    done = run_notebook(script, *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    form = spec.grading.read_form(b"")
    assert read_predictions(out.read_bytes(), form).columns["image"].shape == (2000, 16, 16, 3)


@pytest.mark.parametrize(
    "script",
    [pytest.param(each, marks=[pytest.mark.slow] * (each in PATIENT)) for each in REDUCED],
)
def test_a_baseline_learns_on_a_stand_in(script, prepared, tmp_path):
    spec = SCRIPTS[script]
    data = prepared(spec.slug)
    out = tmp_path / f"submission{spec.grading.submission.suffix}"
    arguments = ("--data", data.folder / "public", "--out", out, *REDUCED[script])
    # What students start from is run as the notebook that they get.
    is_starter = script in STARTERS
    done = (
        run_notebook(script, *arguments, folder=tmp_path) if is_starter else run(script, *arguments)
    )
    assert done.returncode == 0, done.stderr
    truth = spec.grading.read_truth(data.answers.read_bytes())
    score, start = (
        spec.grading.score(read_predictions(file.read_bytes(), truth.form), truth)[
            spec.metric.name
        ]["private"]
        for file in (out, data.folder / "public" / spec.sample_file)
    )
    if spec.metric.record.higher_is_better:
        assert score.low > start.high
    else:
        assert score.high < start.low


def test_a_notebook_does_what_its_script_does(prepared, tmp_path):
    data = ("--data", prepared("digits").folder / "public", "--small", "--epochs", 1)
    outs = tmp_path / "script.csv", tmp_path / "notebook.csv"
    run("digits-from-scratch.py", *map(str, data), "--out", outs[0])
    run_notebook("digits-from-scratch.py", *data, "--out", outs[1], folder=tmp_path)
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_a_notebook_has_every_part_of_its_script_and_valid_cells(script):
    path = paths.bundled("baselines") / script
    text = starters.notebook(path, ["--small"])
    assert text == starters.notebook(path, ["--small"])
    whole = json.loads(text)
    assert (whole["nbformat"], whole["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in whole["cells"]}) == len(whole["cells"])
    assert [cell["cell_type"] for cell in whole["cells"]][:2] == ["markdown", "code"]
    parts = {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    told = {
        node.name
        for node in ast.parse(code_of(text)).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    assert parts - {"main"} <= told  # what main defines stands beside them
    assert "parse_args(ARGUMENTS)" in code_of(text)


@pytest.mark.parametrize("script", ["game-agents.py", "game-agents-ppo.py"])
def test_a_lander_that_has_learned_for_seconds_is_an_agent_that_flies(script, prepared, tmp_path):
    spec, data = SCRIPTS[script], prepared("game-agents")
    out = tmp_path / spec.baseline_file
    arguments = ("--data", data.folder / "public", "--out", out, "--steps", "4000")
    is_starter = script in STARTERS
    done = (
        run_notebook(script, *arguments, folder=tmp_path) if is_starter else run(script, *arguments)
    )
    assert done.returncode == 0, done.stderr
    truth = spec.grading.read_truth(data.answers.read_bytes())
    found = headroom.predictions(spec, out, data, truth)
    assert len({*found.columns["return"].tolist()}) == len(truth.form.ids)  # it did not just err


def test_the_notebook_of_a_game_writes_an_agent_that_plays(prepared, tmp_path):
    spec, data, out = SPECS["connect-four"], prepared("connect-four"), tmp_path / "agent.zip"
    arguments = ("--data", data.folder / "public", "--out", out)
    done = run_notebook("connect-four.py", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    headroom.plays(spec, out, data)  # a game against itself, in the sandbox


def test_four_moves_ahead_beat_one_from_any_opening_and_on_both_sides(prepared, tmp_path):
    spec, data = SPECS["connect-four"], prepared("connect-four")
    agents = {depth: tmp_path / f"agent-{depth}.zip" for depth in (4, 1)}
    for depth, out in agents.items():
        arguments = ("--data", data.folder / "public", "--out", out, "--depth", str(depth))
        assert run("connect-four.py", *arguments, "--small").returncode == 0
    (tmp_path / "play").mkdir()
    said = headroom.played(spec, agents[4], data, tmp_path / "play", 10, against=agents[1])
    won = [
        sum(side.score == 1 for side in sides if side.submission_id == OWN)
        for sides in (one.sides for one in said.episodes)
    ]
    assert len(won) == 20  # each opening on both sides
    assert sum(won) >= 14


@pytest.mark.slow
@pytest.mark.parametrize("slug", SPECS)
def test_the_baselines_score_as_announced_on_the_small_edition(slug):
    cache = paths.default_home() / "sources"
    assert headroom.trial(paths.bundled("challenges") / slug, "small", cache) == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_without_data_a_baseline_says_how_to_get_them(script, tmp_path):
    done = run(script, cwd=tmp_path)
    assert done.returncode == 2
    assert f"in '.': podium download {SCRIPTS[script].slug} fetches it" in done.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_baseline_is_one_readable_script_that_can_be_copied(script):
    text = (paths.bundled("baselines") / script).read_text()
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not imported & {"podium", "podium_scoring"}
    assert len(text.splitlines()) <= 300
    assert "Command " in text
    assert "Measured " in text
