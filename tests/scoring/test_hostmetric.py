"""Metrics that a challenge brings, in the form of Kaggle's metric files."""

import textwrap

import pytest

from podium_scoring import ChallengeError, SubmissionError
from podium_scoring.grading import Grading

# In the manner of the files there: own exception, pandas, del of the id, keyword options.
METRIC = textwrap.dedent(
    '''
    """Mean absolute error of two columns."""
    import numpy as np
    import pandas as pd
    import pandas.api.types


    class ParticipantVisibleError(Exception):
        pass


    def score(
        solution: pd.DataFrame,
        submission: pd.DataFrame,
        row_id_column_name: str,
        weight: float = 1.0,
    ) -> float:
        """
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"id": [1, 2], "x": [1.0, 2.0]})
        >>> score(frame.copy(), frame.copy(), "id")
        0.0
        """
        del solution[row_id_column_name]
        del submission[row_id_column_name]
        if "Usage" in solution.columns:
            raise ValueError("Usage is no column of a solution")
        for column in submission.columns:
            if not pandas.api.types.is_numeric_dtype(submission[column]):
                raise ParticipantVisibleError(f"Submission column {column} must be a number")
            if (submission[column] < 0).any():
                raise ParticipantVisibleError("Submissions must be non-negative. " * 20)
        return weight * float(np.abs(solution["x"] - submission["x"]).mean())
    '''
)


def grading(source=METRIC, **more):
    x = {"name": "x", "type": "number"}
    return Grading.of(
        {
            "metric": {
                "name": "our_error",
                "source": source,
                "higher_is_better": False,
                "also": ["rmse"],
                **more,
            },
            "submission": {"id": {"name": "id", "type": "integer"}, "columns": [x]},
        }
    )


ANSWERS = b"id,x,Usage\n5,1,Public\n3,2,Private\n4,4,Public\n1,8,Private\n"


def scored(graded, file):
    truth = graded.read_truth(ANSWERS)
    return graded.score(graded.read_predictions(file, truth.form), truth)


def test_a_metric_file_in_kaggles_form_runs_unmodified_on_each_split():
    scores = scored(grading(), b"id,x\n1,7\n3,2\n4,1\n5,0\n")
    assert scores["our_error"]["public"].value == 2.0  # |1 - 0| and |4 - 1|
    assert scores["our_error"]["private"].value == 0.5
    assert scores["our_error"]["public"].higher_is_better is False
    assert scores["rmse"]["public"].value == pytest.approx(5**0.5)


BY_UTILITIES = textwrap.dedent(
    """
    import kaggle_metric_utilities
    import sklearn.metrics

    def score(solution, submission, row_id_column_name):
        del solution[row_id_column_name], submission[row_id_column_name]
        kaggle_metric_utilities.verify_valid_probabilities(submission, "submission")
        return kaggle_metric_utilities.safe_call_score(
            sklearn.metrics.mean_squared_error, solution.values, submission.values
        )
    """
)


def test_the_utilities_that_such_files_import_are_there():
    with pytest.raises(SubmissionError, match="submission must be at most one"):
        scored(grading(BY_UTILITIES), b"id,x\n1,7\n3,1\n4,1\n5,1\n")
    scores = scored(grading(BY_UTILITIES), b"id,x\n1,1\n3,1\n4,1\n5,1\n")
    assert scores["our_error"]["public"].value == 4.5


LEAKS = {
    "ValueError('the shapes differ')": (SubmissionError, "the shapes differ"),
    "ValueError('row 3 is 2.0')": (ChallengeError, "HostVisibleError"),
}


@pytest.mark.parametrize("error", LEAKS)
def test_an_error_of_a_library_is_shown_only_where_it_can_tell_no_answer(error):
    kind, words = LEAKS[error]
    source = BY_UTILITIES.replace(
        "sklearn.metrics.mean_squared_error", f"lambda *_: (_ for _ in ()).throw({error})"
    )
    with pytest.raises(kind, match=words):
        scored(grading(source), b"id,x\n1,1\n3,1\n4,1\n5,1\n")


def test_options_reach_it_and_stand_in_the_signature():
    score = scored(grading(options={"weight": 3.0}), b"id,x\n1,7\n3,2\n4,1\n5,0\n")
    assert score["our_error"]["public"].value == 6.0
    assert 'options:{"weight":3.0}' in str(score["our_error"]["public"].signature)


def test_a_message_for_participants_reaches_them_cut():
    with pytest.raises(SubmissionError) as caught:
        scored(grading(), b"id,x\n1,7\n3,2\n4,-1\n5,0\n")
    assert caught.value.message.startswith("Submissions must be non-negative.")
    assert len(caught.value.message) == 280


FAULTS = {
    "an exception": ("def score(a, b, c):\n    return a['y'].sum()\n", "KeyError.*line 2"),
    "no number": ("def score(a, b, c):\n    return 'good'\n", "gave 'good'"),
    "no finite number": ("def score(a, b, c):\n    return float('nan')\n", "gave nan"),
    "no function": ("x = 1\n", "no function 'score'"),
    "no Python": ("def score(:\n", "cannot be run"),
    "a failing import": ("import no_such_module\n", "No module named 'no_such_module'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_other_fault_is_the_hosts(fault):
    source, words = FAULTS[fault]
    with pytest.raises(ChallengeError, match=words):
        scored(grading(source), b"id,x\n1,7\n3,2\n4,1\n5,0\n")


def test_an_unknown_option_is_the_hosts_fault():
    with pytest.raises(ChallengeError, match="no option 'beauty'"):
        scored(grading(options={"beauty": 1}), b"id,x\n1,7\n3,2\n4,1\n5,0\n")


def test_the_direction_must_be_said():
    with pytest.raises(ChallengeError, match="never guessed"):
        grading(higher_is_better=None)


def test_the_interval_is_about_that_of_the_same_metric_of_ours():
    rows = 400
    answers = "id,x,Usage\n" + "".join(f"{i},{i % 7},Public\n" for i in range(rows))
    file = "id,x\n" + "".join(f"{i},{(3 * i) % 11}\n" for i in range(rows))
    graded = grading(also=["mae"])
    truth = graded.read_truth(answers.encode())
    scores = graded.score(graded.read_predictions(file.encode(), truth.form), truth)
    ours, theirs = scores["mae"]["public"], scores["our_error"]["public"]
    assert theirs.value == pytest.approx(ours.value)
    assert theirs.high - theirs.low == pytest.approx(ours.high - ours.low, rel=0.5)
