"""What metric files from Kaggle import under this name: the same functions, written anew.

`hostmetric` makes it importable by its bare name while a host's file runs.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas

SUM_TOLERANCE = 1e-4


class ParticipantVisibleError(Exception):
    """An error whose message the submitter sees."""


class HostVisibleError(Exception):
    """An error whose message the host alone sees."""


def treat_as_participant_error(error_message: str, solution: Any) -> bool:
    """Whether a message can be shown to the submitter without giving answers away.

    A message without digits says nothing about answers that are numbers; one about answers that
    are texts may quote them.
    """
    import pandas as pd

    kinds = pd.DataFrame(solution).dtypes
    are_numbers = all(pd.api.types.is_numeric_dtype(kind) for kind in kinds)
    return are_numbers and re.search(r"[0-9]", error_message) is None


def safe_call_score(
    metric_function: Callable[..., Any], solution: Any, submission: Any, **metric_func_kwargs: Any
) -> Any:
    """The metric's value; its errors go to the submitter if that is safe, else to the host."""
    try:
        return metric_function(solution, submission, **metric_func_kwargs)
    except (ParticipantVisibleError, HostVisibleError):
        raise
    except Exception as error:  # any library's: whose it is, is decided here
        if treat_as_participant_error(str(error), solution):
            raise ParticipantVisibleError(str(error)) from error
        raise HostVisibleError(f"{error}") from error


def verify_valid_probabilities(df: "pandas.DataFrame", df_name: str) -> None:
    """ParticipantVisibleError unless all columns are numbers from 0 to 1 that sum to 1 in a row."""
    import pandas as pd

    if not all(pd.api.types.is_numeric_dtype(kind) for kind in df.dtypes):
        raise ParticipantVisibleError(f"All target values in {df_name} must be numeric")
    values = df.to_numpy(np.float64)
    if not (values >= 0).all():
        raise ParticipantVisibleError(f"All target values in {df_name} must be at least zero")
    if not (values <= 1).all():
        raise ParticipantVisibleError(f"All target values in {df_name} must be at most one")
    if not np.allclose(values.sum(axis=1), 1, atol=SUM_TOLERANCE):
        raise ParticipantVisibleError(f"Target values in {df_name} do not sum to one in each row")
