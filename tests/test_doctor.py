import re

from sqlalchemy import text

from podium import doctor
from podium.config import Config
from podium.installation import Installation
from podium.reconciler import reconcile
from podium.scorer import Scorer
from podium.workers import RECONCILE, Card


def findings(installation) -> dict[str, doctor.Finding]:
    return {one.part: one for one in doctor.examine(installation)}


def test_a_healthy_installation_is_well(installation):
    Scorer(installation, Card("w1", "score")).arrive()
    Scorer(installation, Card("r1", RECONCILE)).arrive()
    found = findings(installation)
    assert [one for one in found.values() if not one.is_well] == []
    assert "w1 is online" in found["score worker"].found


def test_what_waits_without_a_worker_is_named_with_the_command(installation, factory, predictions):
    factory.competition()
    factory.submit(factory.member("ada-01"), predictions(3))
    found = findings(installation)
    assert found["queue"].found == "1 wait in score, nobody serves"
    assert found["queue"].cure == "podium worker --queue score"
    assert "podium reconcile" in found["reconciler"].cure


def test_an_old_schema_is_named_with_the_command(installation):
    with installation.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    found = findings(installation)["database"]
    assert re.search(r"is at 0001, not 00\d\d", found.found)
    assert found.cure == "podium db upgrade"


def test_servers_that_are_gone_are_said_and_the_rest_is_looked_at(tmp_path):
    config = Config.load(
        tmp_path / "home",
        database_url="postgresql://nobody@127.0.0.1:1/x?connect_timeout=1",
        redis_url=f"unix://{tmp_path}/nowhere.sock",
    )
    found = findings(Installation.open(config))
    assert "PODIUM_DATABASE_URL" in found["database"].cure
    assert "PODIUM_REDIS_URL" in found["redis"].cure
    assert found["storage"].is_well
    assert found["disk"].is_well


def test_a_worker_in_trouble_shows_its_reason(installation):
    Scorer(installation, Card("w1", "score", trouble="No sandbox here.")).arrive()
    assert findings(installation)["score worker"].cure == "No sandbox here."


def test_the_reconciler_is_listed_once_it_has_passed(installation):
    assert reconcile(installation).reclaimed == 0
    assert not findings(installation)["reconciler"].is_well
