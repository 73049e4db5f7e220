"""Records of the metrics of rows: classes, probabilities, numbers."""

from podium_scoring.metric import Metric, Option

_COUNTS = "one count over the rows: 4 ns a row; the interval costs the same for any number"
_SORT = "one sort a class: 50 ms for a million rows"
_AVERAGE = {"average": Option("macro", "of the classes: macro, micro or weighted by true rows")}
_REST = {"average": Option("macro", "of the classes: macro or weighted by true rows")}


def _classes(name: str, title: str, formula: str, source: str, **options: Option) -> Metric:
    return Metric(
        name=name,
        family="classification",
        title=title,
        higher_is_better=True,
        best=1.0,
        worst=-1.0 if name == "matthews" else 0.0,
        unit="row",
        formula=formula,
        source=source,
        options=options,
        takes="classes",
        cost=_COUNTS,
    )


def _probabilities(
    name: str, title: str, formula: str, source: str, cost: str, best: float, **options: Option
) -> Metric:
    return Metric(
        name=name,
        family="probability",
        title=title,
        higher_is_better=best == 1.0,
        best=best,
        worst={"log_loss": 36.04365338911715, "brier": 2.0}.get(name, 1.0 - best),
        unit="row",
        formula=formula,
        source=source,
        options=options,
        takes="probabilities",
        cost=cost,
    )


def _numbers(
    name: str, title: str, formula: str, source: str, best: float, worst: float | None
) -> Metric:
    return Metric(
        name=name,
        family="regression",
        title=title,
        higher_is_better=best == 1.0,
        best=best,
        worst=worst,
        unit="row",
        formula=formula,
        source=source,
        takes="numbers",
    )


ROW_METRICS = (
    _classes(
        "accuracy",
        "Accuracy",
        "share of rows whose predicted class is the true class",
        "definition",
    ),
    _classes(
        "balanced_accuracy",
        "Balanced accuracy",
        "mean over the true classes of the share of their rows that are right",
        "Brodersen et al. 2010",
    ),
    _classes("precision", "Precision", "TP / (TP + FP) of a class", "definition", **_AVERAGE),
    _classes("recall", "Recall", "TP / (TP + FN) of a class", "definition", **_AVERAGE),
    _classes(
        "f1_macro",
        "Macro F1",
        "mean over classes of 2·TP / (2·TP + FP + FN)",
        "definition; a class without rows and predictions is left out",
    ),
    _classes("f1_micro", "Micro F1", "2·TP / (2·TP + FP + FN) of all rows together", "definition"),
    _classes(
        "f1_weighted",
        "Weighted F1",
        "mean over classes of 2·TP / (2·TP + FP + FN), weighted by true rows",
        "definition",
    ),
    _classes(
        "matthews",
        "Matthews correlation",
        "correlation of predicted and true classes (R_K)",
        "Gorodkin 2004; 0 where one side has a single class",
    ),
    Metric(
        name="quadratic_kappa",
        family="classification",
        title="Quadratic weighted kappa",
        higher_is_better=True,
        best=1.0,
        worst=None,
        unit="row",
        formula="1 - Σ (said - true)² / the same if both sides were drawn apart",
        source="Cohen 1968",
        takes="grades",
        cost=_COUNTS,
    ),
    _probabilities(
        "top_k_accuracy",
        "Top-k accuracy",
        "share of rows whose true class is among the k most probable",
        "definition; ties count as the mean over their orders",
        "one pass over the probabilities",
        1.0,
        k=Option(5, "classes that count"),
    ),
    _probabilities(
        "log_loss",
        "Log loss",
        "mean of -ln(probability of the true class)",
        "Good 1952; probabilities are kept 2.2e-16 away from 0",
        "one pass over the rows: 15 ns a row",
        0.0,
    ),
    _probabilities(
        "roc_auc",
        "ROC AUC",
        "chance that a row of a class gets more than another row; each class against the rest",
        "Mann and Whitney 1947; interval by DeLong et al. 1988",
        _SORT,
        1.0,
        **_REST,
    ),
    _probabilities(
        "average_precision",
        "Average precision",
        "Σ (recall_i - recall_(i-1)) · precision_i, sure first; each class against the rest",
        "Buckley and Voorhees 2000",
        _SORT,
        1.0,
        **_REST,
    ),
    _probabilities(
        "brier",
        "Brier score",
        "mean over rows of Σ (probability - truth)² over classes, halved for two",
        "Brier 1950",
        "one pass over the probabilities",
        0.0,
    ),
    _probabilities(
        "calibration_error",
        "Expected calibration error",
        "mean distance of confidence from the share that is right, in bins of confidence",
        "Naeini et al. 2015; Guo et al. 2017",
        "one pass over the rows",
        0.0,
        bins=Option(15, "bins of equal width"),
    ),
    _numbers(
        "rmse",
        "Root mean squared error",
        "square root of the mean squared difference",
        "definition",
        0.0,
        None,
    ),
    _numbers("mae", "Mean absolute error", "mean absolute difference", "definition", 0.0, None),
    _numbers(
        "mape",
        "Mean absolute percentage error",
        "mean of |difference| / |answer|; 0.1 is ten percent",
        "definition",
        0.0,
        None,
    ),
    _numbers(
        "r2",
        "Coefficient of determination",
        "1 - Σ difference² / Σ (answer - mean answer)²",
        "Wright 1921",
        1.0,
        None,
    ),
    _numbers(
        "rmsle",
        "Root mean squared logarithmic error",
        "square root of the mean squared difference of ln(1 + value)",
        "definition",
        0.0,
        None,
    ),
    _numbers(
        "spearman",
        "Spearman correlation",
        "correlation of the ranks, ties sharing theirs",
        "Spearman 1904; 0 where all predictions are equal",
        1.0,
        -1.0,
    ),
)
