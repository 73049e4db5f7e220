"""How the benchmarks measure: best of a few rounds, in turn, in one process."""

import time
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def race(record_property: Callable[[str, object], None], request: pytest.FixtureRequest) -> Any:
    """`race(name=work, ..., runs=3)` gives the best seconds of each; `-s` shows them."""

    def run(runs: int = 3, **works: Callable[[], object]) -> dict[str, float]:
        rounds = [{name: _seconds(work) for name, work in works.items()} for _ in range(runs)]
        times = {name: min(one[name] for one in rounds) for name in works}
        for name, best in times.items():
            record_property(name, best)
        shown = ", ".join(f"{name} {1000 * best:.2f} ms" for name, best in times.items())
        capture = request.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            request.config.get_terminal_writer().line(f"\n{request.node.name}: {shown}")
        return times

    return run


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
