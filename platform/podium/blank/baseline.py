"""Boosted trees on whatever columns there are, by scikit-learn.

Command     python baseline.py --data $slug --out submission.csv
Data        train.csv, test.csv from `podium download $slug`
Measured    $measured
Copy it, change it, beat it.
"""

import argparse
from pathlib import Path

import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

TARGET = "$target"
KIND = "$kind"  # of the target: "number", or "class"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("$slug" if Path("$slug").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: $slug/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.csv"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (options.data / "train.csv").is_file():
        parser.error(f"no train.csv in {str(options.data)!r}: podium download $slug fetches it")

    train, test = (pd.read_csv(options.data / name) for name in ("train.csv", "test.csv"))
    trees = HistGradientBoostingRegressor if KIND == "number" else HistGradientBoostingClassifier
    # Words become numbers; one that was not seen in training counts as missing.
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    columns = make_column_transformer(
        (words, make_column_selector(dtype_exclude="number")), remainder="passthrough"
    )
    model = make_pipeline(columns, trees(random_state=options.seed))
    model.fit(train.drop(columns=["id", TARGET]), train[TARGET])
    told = model.predict(test.drop(columns="id"))
    pd.DataFrame({"id": test["id"], TARGET: told}).to_csv(options.out, index=False)
    print(f"wrote {options.out} with {len(test)} rows")


if __name__ == "__main__":
    main()
