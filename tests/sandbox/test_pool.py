"""Warm sandboxes: ready at once, used once, bounded, replaced."""

import numpy as np
import pytest

from podium.sandbox import Limits
from podium.sandbox.feeding import Expected, predict
from podium.sandbox.pool import Pool
from podium.sandbox.served import Load

CODE = b"""
import os, sys
assert "json.tool" in sys.modules
assert not os.path.exists("/scratch/was-here")
open("/scratch/was-here", "w").close()
def predict(batch):
    return batch
"""
LOAD = Load("batch", {"predict.py": CODE}, "predict.py")


@pytest.fixture
def pool(runner):
    with Pool(runner, Limits(), preload=("json.tool",), size=2) as pool:
        assert pool.wait_until_full(60)
        yield pool


def answer(served):
    served.load(LOAD)
    return predict(served, {"x": np.arange(10.0)}, Expected(), 10)[0]


def test_each_use_gets_a_sandbox_of_its_own_with_the_packages_there(pool):
    for _ in range(3):
        with pool.take() as served:
            assert answer(served).ok


def test_what_was_taken_is_replaced(pool):
    with pool.take():
        assert pool.wait_until_full(60)
        assert len(pool) == 2


def test_one_that_died_while_it_waited_is_not_handed_out(pool):
    pool._waiting[0].sandbox.end()
    pool._waiting[0].sandbox.wait()
    with pool.take() as served:
        assert answer(served).ok


def test_an_empty_pool_starts_one_cold(runner):
    with Pool(runner, Limits(), preload=("json.tool",), size=0) as pool, pool.take() as served:
        assert answer(served).ok


def test_a_pool_holds_no_more_memory_than_it_may(runner):
    with Pool(runner, Limits(), preload=(), size=50, memory_mib=24) as pool:
        assert pool.wait_until_full(60)
        assert 1 <= len(pool) < 10
        assert pool.held_mib <= 24


def test_a_closed_pool_has_ended_what_waited(runner):
    with Pool(runner, Limits(), preload=(), size=1) as pool:
        assert pool.wait_until_full(60)
        sandbox = pool._waiting[0].sandbox
    assert sandbox.has_ended
