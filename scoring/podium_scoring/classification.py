"""Metrics of classes: predictions and answers are arrays of n classes, as integers or strings."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium_scoring.units import Confusion, Floats, Sums

Classes = NDArray[Any]


def accuracy(predictions: Classes, answers: Classes) -> Sums:
    """Share of rows that are right: 0 to 1, 1 is best."""
    right = (predictions == answers).astype(np.float64)
    return Sums(right[:, None], lambda sums, n: sums[..., 0] / n, is_share=True)


def balanced_accuracy(predictions: Classes, answers: Classes) -> Confusion:
    """Mean over the true classes of the share of their rows that are right: 0 to 1, 1 is best."""
    return Confusion(_table(predictions, answers), _balanced)


def f1_macro(predictions: Classes, answers: Classes) -> Confusion:
    """Mean F1 over the classes that occur in either: 0 to 1, 1 is best."""
    return Confusion(_table(predictions, answers), _f1_macro)


def matthews(predictions: Classes, answers: Classes) -> Confusion:
    """Correlation of predicted and true classes: -1 to 1, 1 is best; 0 if one side is constant."""
    return Confusion(_table(predictions, answers), _matthews)


def _table(predictions: Classes, answers: Classes) -> Floats:
    """Counts of shape (true, predicted)."""
    both, codes = np.unique(np.concatenate([answers, predictions]), return_inverse=True)
    k, n = len(both), len(answers)
    counts = np.bincount(codes[:n] * k + codes[n:], minlength=k * k)
    return counts.reshape(k, k).astype(np.float64)


def _balanced(counts: Floats) -> Floats:
    truth, right = counts.sum(-1), np.diagonal(counts, axis1=-2, axis2=-1)
    present = truth > 0
    recall = np.divide(right, truth, out=np.zeros_like(truth), where=present)
    share: Floats = recall.sum(-1) / present.sum(-1)
    return share


def _f1_macro(counts: Floats) -> Floats:
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    total = counts.sum(-1) + counts.sum(-2)  # 2·TP + FP + FN of each class
    present = total > 0
    f1 = np.divide(2 * right, total, out=np.zeros_like(total), where=present)
    mean: Floats = f1.sum(-1) / present.sum(-1)
    return mean


def _matthews(counts: Floats) -> Floats:
    truth, predicted, n = counts.sum(-1), counts.sum(-2), counts.sum((-2, -1))
    right = np.trace(counts, axis1=-2, axis2=-1)
    above = right * n - (truth * predicted).sum(-1)
    below = np.sqrt((n**2 - (truth**2).sum(-1)) * (n**2 - (predicted**2).sum(-1)))
    correlation: Floats = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return correlation
