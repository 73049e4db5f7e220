"""Broken versions of every challenge are caught by `check`.

The data are stand-ins: tiny, in the layout of the real source, read by the recipe's own `decode`.
What is broken in a recipe is broken around its own `prepare`, so that one fault fits them all.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from podium import catalog, inspection

SLUGS = [folder.name for folder in catalog.bundled()]
# What breaks challenges of agents is in test_game_agents.py.
OF_FILES = [folder.name for folder in catalog.bundled() if not catalog.read(folder).run.agent]


@pytest.fixture(scope="module")
def checked(tiny):
    """What `check` says of a folder, with the cache of the stand-in of its slug."""

    def of(folder: Path) -> list[str]:
        return inspection.inspect(folder, "small", tiny(folder.name).parent / "cache")

    return of


@pytest.mark.parametrize("slug", SLUGS)
def test_nothing_is_wrong_with_the_stand_in(tiny, checked, slug):
    assert checked(tiny(slug)) == []


def changed(name: str, pattern: str, new: str) -> Callable[[Path], None]:
    """The first place of a file that fits the pattern is replaced."""

    def change(folder: Path) -> None:
        file = folder / name
        text, times = re.subn(pattern, new, file.read_text(), count=1, flags=re.MULTILINE)
        assert times == 1
        file.write_text(text)

    return change


def around(seed: str = "seed", after: str = "pass") -> Callable[[Path], None]:
    """The recipe's `prepare` is called with another seed, or its files are changed afterwards."""

    def change(folder: Path) -> None:
        with (folder / "prepare.py").open("a") as out:
            out.write(AROUND.format(seed=seed, after=after))

    return change


def expecting(end: str) -> Callable[[Path], None]:
    """The first baseline may score as badly, or as well, as can be, whichever way is better."""

    def change(folder: Path) -> None:
        best = 1e6 if catalog.read(folder).metric.record.higher_is_better else 0
        scores = {"worst": rf"{1e6 - best:.0f}.0, \2", "best": rf"\1, {best:.0f}.0"}[end]
        changed("challenge.toml", r"small = \[([\d.]+), ([\d.]+)\]", f"small = [{scores}]")(folder)

    return change


AROUND = """

_sound = prepare


def prepare(decoded, public, private, *, seed):
    import csv, json, secrets
    _sound(decoded, public, private, seed={seed})
    sample = next(public.glob("sample_submission.*"))
    {after}
"""
LEAK = """
    for train in public.glob("train.*"):
        test = train.with_stem("test")
        if train.suffix == ".json":  # boxes of the images beside it
            continue
        if not test.is_file() and train.suffix == ".npz":  # images to draw like the hidden ones
            with np.load(train) as known, np.load(private / "answers.npz") as told:
                joined = {name: np.concatenate([known[name], told[name][:5]])
                          for name in known.files}
            np.savez(train, **joined)
            continue
        if not test.is_file():  # no rows to label: people whose next choice is asked for
            with (private / "answers.csv").open(newline="") as file:
                told = list(csv.DictReader(file))[:5]
            with train.open(newline="") as file:
                known = list(csv.DictReader(file))
            with train.open("w", newline="") as out:
                writer = csv.DictWriter(out, known[0], extrasaction="ignore")
                writer.writeheader()
                writer.writerows(known + [known[0] | row for row in told])
            continue
        if train.suffix == ".npz":
            with np.load(train) as known, np.load(test) as hidden:
                first = {name: hidden[name] if name in hidden.files else known[name]
                         for name in known.files}
                joined = {name: np.concatenate([known[name], first[name][:5]])
                          for name in known.files}
            np.savez(train, **joined)
        elif train.suffix == ".csv":
            known, hidden = (
                list(csv.DictReader(file.read_text().splitlines())) for file in (train, test)
            )
            with train.open("w", newline="") as out:
                writer = csv.DictWriter(out, known[0])
                writer.writeheader()
                writer.writerows(known + [known[0] | row for row in hidden[:5]])
        else:
            known, hidden = (
                [json.loads(line) for line in file.read_text().splitlines()]
                for file in (train, test)
            )
            rows = known + [known[0] | row for row in hidden[:5]]
            if not set(known[0]) & set(hidden[0]):  # questions about conversations like these
                rows = known + [{"turns": row["context"]} | {"conversation": -1} for row in hidden]
            train.write_text("".join(json.dumps(row) + "\\n" for row in rows))
"""
# Found without the data, which are taken away to show it.
BROKEN_TEXT = {
    "no licence": (changed("challenge.toml", r"^licence = .*$", ""), "data.licence"),
    "misspelt key": (changed("challenge.toml", "max_file_mib", "max_file_mb"), "max_file_mib"),
    "unknown metric": (
        changed("challenge.toml", r'(\[metric\]\nname = "\w+)"', r'\1x"'),
        "metric.name",
    ),
    "wrong direction": (
        changed("challenge.toml", r"small = \[([-\d.]+), ([-\d.]+)\]", r"small = [\2, \1]"),
        "Name the worse end first",
    ),
    "no text": (lambda folder: (folder / "README.md").unlink(), "README.md is missing"),
    "text without a section": (
        changed("README.md", "^## Evaluation", "## Scores"),
        "no section 'Evaluation'",
    ),
    "a baseline that is not there": (
        changed("challenge.toml", r'^script = "', 'script = "no-'),
        "is not in baselines/",
    ),
}
BROKEN = {
    "other data than pinned": (
        changed("checksums.toml", '^([a-z_]+ = ")', r"\g<1>0"),
        "differ from checksums.toml",
    ),
    "source of another content": (
        changed("challenge.toml", '^sha256 = "....', 'sha256 = "0000'),
        "has SHA-256",
    ),
    "a baseline no better than chance": (
        expecting("worst"),
        "the baseline must be better",
    ),
    "a baseline beyond the best": (
        expecting("best"),
        "beyond the best",
    ),
    "a split that ignores the seed": (around(seed="0"), "Another seed gave the same answers"),
    "chance beside the seed": (around(seed="secrets.randbits(60)"), "Preparing twice"),
    "a script that raises": (around(after="undefined"), "prepare.py failed to prepare: NameError"),
    "leaky split": (around(after=LEAK.strip()), " stand in train"),
    "a sample of other ids": (
        around(
            after="""
    if sample.suffix == ".json":  # no box is legal in COCO results: an id of no image is not
        sample.write_text(sample.read_text().replace('"image_id": ', '"image_id": 9', 1))
        return
    if sample.suffix == ".npz":
        with np.load(sample) as arrays:
            fewer = {name: arrays[name][:-1] for name in arrays.files}
        np.savez(sample, **fewer)
        return
    lines = sample.read_text().splitlines(keepends=True)
    last = lines[-1].partition(",")[0]
    sample.write_text("".join(line for line in lines if line.partition(",")[0] != last))
""".strip()
        ),
        "does not fit its own format",
    ),
    "a public split too small": (
        around(
            after="""
    (answers,) = private.glob("answers.*")
    if answers.suffix == ".json":
        parts = answers.read_text().split('"Public"')
        kept, rest = '"Public"'.join(parts[:60]), '"Private"'.join(parts[60:])
        answers.write_text(f'{kept}"Public"{rest}')
        return
    if answers.suffix == ".npz":
        with np.load(answers) as arrays:
            told = {name: arrays[name] for name in arrays.files}
        is_public = told["Usage"] == "Public"
        told["Usage"][np.flatnonzero(is_public)[60:]] = "Private"
        np.savez(answers, **told)
        return
    rows = answers.read_text().splitlines(keepends=True)
    first = {row.partition(",")[0] for row in rows[:60]}
    answers.write_text("".join(
        row if row.partition(",")[0] in first else row.replace("Public", "Private") for row in rows
    ))
""".strip()
        ),
        "chance decides",
    ),
}


@pytest.mark.parametrize("name", BROKEN_TEXT)
@pytest.mark.parametrize("slug", SLUGS)
def test_a_broken_text_is_caught(tiny, checked, tmp_path, slug, name):
    change, words = BROKEN_TEXT[name]
    folder = tmp_path / slug
    shutil.copytree(tiny(slug), folder)
    for source in catalog.read(folder).data.sources:
        (folder / source.file).unlink()
    change(folder)
    faults = checked(folder)
    assert any(words in fault for fault in faults), faults


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize(
    "slug",
    # Drawing thousands of scenes takes half a minute for each fault.
    [pytest.param(slug, marks=[pytest.mark.slow] * (slug == "detection")) for slug in OF_FILES],
)
def test_a_broken_version_is_caught(tiny, checked, tmp_path, slug, name):
    change, words = BROKEN[name]
    folder = tmp_path / slug
    shutil.copytree(tiny(slug), folder)
    change(folder)
    faults = checked(folder)
    assert any(words in fault for fault in faults), faults
