"""Chatbot: the reply that shares the rarest words with what was said, TF-IDF in scikit-learn.

Command     python baselines/chatbot.py --data chatbot --out submission.csv
Data        train.jsonl, test.jsonl from `podium download chatbot`
Measured    2 cores, no GPU, 25 Nov 2026, recall@1. Small edition: 0.465 in 7 s of one processor.
            Full edition: 0.467 in 10 s.
Not a library: copy it, change it, beat it.
"""

import argparse
import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer


def read(file: Path) -> list[dict[str, Any]]:
    """The records of a JSON Lines file."""
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def similarity(one: csr_matrix, other: csr_matrix) -> NDArray[np.float64]:
    """The cosine of each row of one and the same row of the other."""
    return np.asarray(one.multiply(other).sum(axis=1)).ravel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("chatbot" if Path("chatbot").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: chatbot/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.csv"))
    parser.add_argument("--seed", type=int, default=0, help="no part of it is left to chance")
    options = parser.parse_args()
    if not (options.data / "train.jsonl").is_file():
        parser.error(f"no train.jsonl in {str(options.data)!r}: podium download chatbot fetches it")
    started = time.perf_counter()

    # How rare a word is, is learned from the conversations; nothing else is.
    turns = [turn for talk in read(options.data / "train.jsonl") for turn in talk["turns"]]
    weigh = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2).fit(turns)
    print(f"{len(turns)} turns, {len(weigh.vocabulary_)} words and pairs of words")

    questions = read(options.data / "test.jsonl")
    width = len(questions[0]["candidates"])
    replies = weigh.transform([text for each in questions for text in each["candidates"]])
    # What was said last counts most, what was said before still counts.
    last = weigh.transform([each["context"][-1] for each in questions])
    before = weigh.transform([" ".join(each["context"]) for each in questions])
    rows = np.repeat(np.arange(len(questions)), width)
    scores = similarity(last[rows], replies) + similarity(before[rows], replies)

    with options.out.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", *(f"c{n}" for n in range(width))])
        for each, row in zip(questions, scores.reshape(-1, width).tolist(), strict=True):
            writer.writerow([each["id"], *(f"{score:.5f}" for score in row)])
    seconds = time.perf_counter() - started
    print(f"wrote {options.out} with {len(questions)} rows  {seconds:.1f} s")


if __name__ == "__main__":
    main()
