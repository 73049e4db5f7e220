"""How long it takes until a submission is scored after each kind of kill."""

import statistics
import time
import zipfile

import pytest

pytestmark = pytest.mark.benchmark


WORK_S = 1.0
SCRIPT = """
import time
time.sleep({seconds})
with open("/out/predictions.csv", "w") as out:
    out.write({text!r})
"""


@pytest.fixture
def whole(make_whole, teams_of, factory_of):
    """A running Podium with the settings that it has by default, and one team."""
    whole = make_whole(LEASE_S="10", HEARTBEAT_S="2", RECONCILE_S="1", SCORE_WORKERS="1")
    spec = {"kinds": ["predictions", "code"], "run": {"inputs": []}}
    teams = teams_of(
        whole, lambda here: factory_of(here).competition(daily_limit=1000, spec=spec), 1
    )
    return whole, teams


def test_recovery_after_each_kind_of_kill(whole, predictions, tmp_path, capsys):
    running, teams = whole
    file, bundle = tmp_path / "p.csv", tmp_path / "b.zip"
    file.write_text(predictions(3))
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("predict.py", SCRIPT.format(text=predictions(3), seconds=WORK_S))

    def until(submission_id: int, state: str) -> float:
        begin = time.perf_counter()
        while teams.state("team-00", submission_id) != state:
            time.sleep(0.02)
        return time.perf_counter() - begin

    def until_scored(key: str) -> float:
        begin = time.perf_counter()
        until(teams.send("team-00", key, file), "scored")
        return time.perf_counter() - begin

    def killed_in_the_middle_of_a_run() -> float:
        submission_id = teams.send("team-00", "run", bundle, "code")
        until(submission_id, "running")
        running.kill("run-1")
        return until(submission_id, "scored")

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
    again = killed_in_the_middle_of_a_run()
    lines.append(
        f"after kill -9 of a run worker in the middle: {again:.1f} s, of which the trial and the "
        f"run itself take {2 * WORK_S:.0f} s"
    )
    with capsys.disabled():
        print("\n" + "\n".join(lines))
