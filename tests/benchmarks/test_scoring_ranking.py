"""Speed of NDCG@10 for 6,040 users: the ratio to trec_eval in C and to scikit-learn, same run."""

from collections.abc import Callable

import numpy as np
import pytest
import pytrec_eval
from sklearn.metrics import ndcg_score

from podium_scoring.ranking import ndcg
from podium_scoring.relevance import Relevance

pytestmark = pytest.mark.benchmark


def test_ndcg_of_6040_users_takes_milliseconds(race: Callable[..., dict[str, float]]) -> None:
    draw = np.random.default_rng(0)
    users, items = 6040, 3706
    scores = draw.random((users, items), np.float32)
    lists = np.argsort(-scores, axis=1)[:, :10].copy()
    relevant = [set(draw.integers(0, items, draw.integers(1, 60)).tolist()) for _ in range(users)]
    truth = Relevance.of(relevant)
    grades = {str(user): {str(item): 1 for item in one} for user, one in enumerate(relevant)}
    run = {
        str(user): {str(item): float(10 - place) for place, item in enumerate(row)}
        for user, row in enumerate(lists.tolist())
    }
    judge = pytrec_eval.RelevanceEvaluator(grades, {"ndcg_cut.10"})
    dense = np.zeros((users, items), np.float32)
    for user, one in enumerate(relevant):
        dense[user, list(one)] = 1
    expected = np.mean([one["ndcg_cut_10"] for one in judge.evaluate(run).values()])
    assert ndcg(lists, truth).value() == pytest.approx(expected, abs=1e-12)
    units = ndcg(lists, truth)
    times = race(
        ndcg=lambda: ndcg(lists, truth).value(),
        prepare=lambda: Relevance.of(relevant),
        interval=lambda: units.interval(0),
        pytrec_eval=lambda: judge.evaluate(run),
        sklearn=lambda: ndcg_score(dense, scores, k=10),
    )
    assert times["ndcg"] <= 0.25 * times["pytrec_eval"]
