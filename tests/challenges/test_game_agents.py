"""Challenges of agents: their hidden seeds, and what `check` says of broken versions."""

import re
import shutil

import numpy as np
import pytest

from podium import catalog, datasets, episodes, headroom, inspection, paths, rehearsal, training

SLUGS = ("game-agents", "connect-four")


def folder_of(slug):
    return paths.bundled("challenges") / slug


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Prepared editions by slug, edition and seed."""

    def of(slug, edition="small", seed=3):
        into = tmp_path_factory.mktemp(slug) / "new"
        spec = catalog.read(folder_of(slug))
        cache = into.parent / "cache"
        return spec, datasets.prepare(spec, folder_of(slug), edition, seed, into, cache=cache)

    return of


@pytest.mark.parametrize(
    ("slug", "edition", "counts"),
    [
        ("game-agents", "small", (40, 60)),
        ("game-agents", "full", (120, 180)),
        ("connect-four", "small", (200, 0)),
    ],
)
def test_an_edition_hides_as_many_seeds_as_its_page_says(prepared, slug, edition, counts):
    spec, made = prepared(slug, edition)
    hidden = episodes.read_seeds(spec, made.answers.read_bytes())
    splits = [one.split for one in hidden]
    assert (splits.count("public"), splits.count("private")) == counts
    assert len({one.seed for one in hidden}) == len(hidden)
    assert [one.number for one in hidden] == list(range(1, len(hidden) + 1))


def test_students_get_the_sample_and_no_seed(prepared):
    _, made = prepared("game-agents")
    assert [file.name for file in made.files] == ["sample_agent.py"]


@pytest.mark.parametrize("slug", SLUGS)
def test_nothing_is_wrong_with_the_folder(slug, tmp_path):
    assert inspection.inspect(folder_of(slug), "small", tmp_path) == []


def test_agents_play_in_no_practice_that_nobody_has_asked_for():
    assert catalog.read(folder_of("game-agents")).practice
    assert not catalog.read(folder_of("connect-four")).practice


def changed(name, pattern, new):
    def change(folder):
        file = folder / name
        text, times = re.subn(pattern, new, file.read_text(), count=1, flags=re.MULTILINE)
        assert times == 1
        file.write_text(text)

    return change


def with_sample(code):
    """Another sample, pinned as it must be."""

    def change(folder):
        sample = folder / "prepare.py"
        text = sample.read_text()
        written = f"(public / 'sample_agent.py').write_text({code!r}) and None or text"
        sample.write_text(text.replace("    count = int", f"    {written}\n    count = int"))

    return change


BROKEN = {
    "a baseline no better than the sample": (
        changed("challenge.toml", r"small = \[[-\d.]+, ", "small = [-200.0, "),
        "the baseline must be better",
    ),
    "seeds that do not come from the installation's": (
        changed("prepare.py", r"default_rng\(seed\)", "default_rng(0)"),
        "Another seed gave the same answers",
    ),
    "chance beside the seed": (
        changed("prepare.py", r"default_rng\(seed\)", "default_rng()"),
        "Preparing twice",
    ),
    "a recipe that raises": (
        changed("prepare.py", r"^    count = int", "    undefined\n    count = int"),
        "failed to prepare: NameError",
    ),
    "too few seeds": (
        changed("prepare.py", r'int\(decoded\["episodes"\]\)', "30"),
        "chance decides",
    ),
    "a file of seeds without a column": (
        changed("prepare.py", "episode,seed,Usage", "episode,sed,Usage"),
        "failed",
    ),
    "a sample that is no agent": (
        with_sample("x = 1\n"),
        "defines neither act(observation, info) nor Agent",
    ),
    "a game that does not exist": (
        changed("challenge.toml", "LunarLander-v3", "LunarLander-v333"),
        "LunarLander",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_version_is_caught(tiny, tmp_path, name):
    change, words = BROKEN[name]
    folder = tmp_path / "game-agents"
    shutil.copytree(tiny("game-agents"), folder)
    change(folder)
    faults = inspection.inspect(folder, "small", tmp_path / "cache")
    assert any(words in fault for fault in faults), faults


def test_agents_and_files_are_not_taken_together(toy_spec, lander):
    with pytest.raises(catalog.ChallengeError, match="'agent' alone"):
        catalog.parse(toy_spec | lander[0] | {"kinds": ["agent", "predictions"]})
    with pytest.raises(catalog.ChallengeError, match=r"\[run.agent\]"):
        catalog.parse(toy_spec | {"kinds": ["agent"]})


def test_the_sample_falls_as_the_page_says(prepared):
    spec, made = prepared("game-agents")
    truth = spec.grading.read_truth(made.answers.read_bytes())
    sample = made.folder / "public" / "sample_agent.py"
    found = headroom.predictions(spec, sample, made, truth)
    assert np.mean(found.columns["return"]) == pytest.approx(-130, abs=25)


def test_the_search_wins_against_the_sample(prepared, tmp_path):
    spec, made = prepared("connect-four")
    baseline, sample = tmp_path / "agent.zip", made.folder / "public" / "sample_agent.py"
    data = made.folder / "public"
    training.train(folder_of("connect-four"), spec.baselines[0], data, baseline, small=True)
    piece = rehearsal.Piece(
        "agent",
        baseline,
        spec.run.model_dump(mode="json"),
        spec.output_file,
        spec.output_columns,
        seeds=[(number, number) for number in range(1, 7)],
        against=sample,
    )
    folder = tmp_path / "played"
    folder.mkdir()
    said = rehearsal.rehearse(piece, folder)
    won = [
        side.score
        for one in said.episodes
        for side in one.sides
        if side.submission_id == rehearsal.OWN
    ]
    assert len(won) == 12
    assert sum(won) >= 10, said  # a sample that plays at random is lucky in one game of a hundred
