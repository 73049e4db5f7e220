"""Agents in sandboxes of their own."""

import pytest

from podium.sandbox import Bubblewrap, Limits
from podium.sandbox.served import Load, launch, serving_job


@pytest.fixture(scope="session")
def runner():
    return Bubblewrap.here()


@pytest.fixture
def agent(runner):
    """`agent(code)` is what the referee calls to start one."""

    def make(code, limits=None):
        load = Load("agent", {"agent.py": code.encode()}, "agent.py")
        job = serving_job(runner, limits or Limits())
        return lambda: launch(runner, job, load)

    return make
