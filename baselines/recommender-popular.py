"""Recommender: everybody gets the films that most people like. The bar for everything learned.

Command     python baselines/recommender-popular.py --data recommender --out submission.csv
Data        train.csv, sample_submission.csv from `podium download recommender`
Measured    2 cores, no GPU, 25 Nov 2026: NDCG@10 0.067 in 1 s.
Not a library: copy it, change it, beat it.
"""

import argparse
import csv
from collections import Counter, defaultdict
from pathlib import Path

LIKED = 4.0  # stars
LISTED = 10


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("recommender" if Path("recommender").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: recommender/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.csv"))
    parser.add_argument("--seed", type=int, default=0, help="no part of it is left to chance")
    options = parser.parse_args()
    if not (options.data / "train.csv").is_file():
        parser.error(
            f"no train.csv in {str(options.data)!r}: podium download recommender fetches it"
        )

    ratings = read(options.data / "train.csv")
    likes = Counter(row["item"] for row in ratings if float(row["rating"]) >= LIKED)
    seen = defaultdict(set)
    for row in ratings:
        seen[row["user"]].add(row["item"])
    falling = [item for item, _ in likes.most_common()]
    users = dict.fromkeys(row["user"] for row in read(options.data / "sample_submission.csv"))
    with options.out.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["user", "item"])
        for user in users:
            unseen = (item for item in falling if item not in seen[user])
            writer.writerows([user, next(unseen)] for _ in range(LISTED))
    print(f"wrote {options.out} with {LISTED} films for {len(users)} people")


if __name__ == "__main__":
    main()
