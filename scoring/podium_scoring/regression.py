"""Metrics of numbers: predictions and answers are arrays of n finite floats."""

import numpy as np

from podium_scoring.units import Floats, Sums


def rmse(predictions: Floats, answers: Floats) -> Sums:
    """Root mean squared error: 0 is best."""
    squares = (predictions - answers) ** 2
    return Sums(squares[:, None], lambda sums, n: np.sqrt(sums[..., 0] / n))


def mae(predictions: Floats, answers: Floats) -> Sums:
    """Mean absolute error: 0 is best."""
    distances = np.abs(predictions - answers)
    return Sums(distances[:, None], lambda sums, n: sums[..., 0] / n)
