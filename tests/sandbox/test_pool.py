"""Warm sandboxes: ready at once, used once, bounded, replaced."""

import numpy as np
import pytest

from podium.sandbox import Limits
from podium.sandbox.feeding import Expected, predict
from podium.sandbox.pool import Pool, Stock
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


def test_a_stock_keeps_sandboxes_for_the_limits_asked_for_last(runner):
    stock = Stock(runner, size=1, memory_mib=1024)
    few, more = Limits(memory_mib=300), Limits(memory_mib=400)
    with stock.take(few) as first:
        assert answer_small(first).ok
    assert stock._pool.wait_until_full(60)
    count, held_mib = stock.held
    assert count == 1
    assert held_mib > 1
    with stock.take(more) as other:
        assert other.sandbox.job.limits == more
    stock.close()
    assert stock.held == (0, 0.0)


def answer_small(served):
    served.load(
        Load("batch", {"predict.py": b"def predict(batch):\n    return batch\n"}, "predict.py")
    )
    return predict(served, {"x": np.arange(10.0)}, Expected(), 10)[0]
