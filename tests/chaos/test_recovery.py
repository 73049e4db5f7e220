"""How long it takes until a submission is scored after each kind of kill."""

import statistics
import time

import pytest

pytestmark = pytest.mark.benchmark


@pytest.fixture
def whole(make_whole, teams_of, factory_of):
    """A running Podium with the settings that it has by default, and one team."""
    whole = make_whole(LEASE_S="10", HEARTBEAT_S="2", RECONCILE_S="1", SCORE_WORKERS="1")
    teams = teams_of(whole, lambda here: factory_of(here).competition(daily_limit=1000), 1)
    return whole, teams


def test_recovery_after_each_kind_of_kill(whole, predictions, tmp_path, capsys):
    running, teams = whole
    file = tmp_path / "p.csv"
    file.write_text(predictions(3))

    def until_scored(key: str) -> float:
        begin = time.perf_counter()
        submission_id = teams.send("team-00", key, file)
        while teams.state("team-00", submission_id) != "scored":
            time.sleep(0.02)
        return time.perf_counter() - begin

    calm = statistics.median(until_scored(f"calm-{index}") for index in range(5))
    kills = {
        "score worker": lambda: running.kill("score-1"),
        "web": lambda: running.kill("web"),
        "reconciler": lambda: running.kill("reconciler"),
        "valkey, file kept": lambda: running.kill("valkey"),
        "valkey, file lost": running.lose_redis,
        "supervisor": running.kill_supervisor,
    }
    lines = [f"calm: {calm * 1000:.0f} ms from POST to scored"]
    for name, kill in kills.items():
        kill()
        lines.append(f"after kill -9 of {name}: {until_scored(name):.1f} s")
    with capsys.disabled():
        print("\n" + "\n".join(lines))
