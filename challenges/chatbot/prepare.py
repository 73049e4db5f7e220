"""Chatbot: reads human conversations and makes the files of this installation from its seed.

`decode` reads either edition; `prepare` is pure: the same rows and seed give the same bytes.
`python prepare.py chitchat_dataset-0.9.0-py3-none-any.whl` makes small.jsonl.xz, the edition that
travels with Podium.
"""

import hashlib
import itertools
import json
import lzma
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = dict[str, NDArray[np.int64] | list[str]]

SMALL_CONVERSATIONS = 2000
FEWEST_TURNS = 4  # below, somebody said hello and left
CONTEXT = 5  # turns at most that a question shows
CANDIDATES = 10
PER_CONVERSATION = 5  # questions at most
TEST_SHARE = 0.3
PUBLIC_SHARE = 0.3  # of the questions
ROUGH = re.compile(r"\b(fuck|shit|bitch|whore|slut|porn|rape|dick\b|nazi)\w*", re.IGNORECASE)
ADDRESS = re.compile(r"\S+@\S+\.\w+|https?://\S+")


def decode(sources: Mapping[str, Path], edition: str) -> Rows:
    """Turns in their order, each with the number of its conversation."""
    if edition == "small":
        with lzma.open(sources["data"], "rt", encoding="utf-8") as file:
            talks = [json.loads(line) for line in file]
    else:
        talks = list(_talks(sources["data"]))
    sizes = [len(talk) for talk in talks]
    return {
        "conversation": np.repeat(np.arange(len(talks), dtype=np.int64), sizes),
        "text": [turn for talk in talks for turn in talk],
    }


def prepare(rows: Rows, public: Path, private: Path, *, seed: int) -> None:
    """Write train.jsonl, test.jsonl and sample_submission.csv, and the hidden answers.csv.

    Whole conversations are hidden. A question is a place within one: the turns before it, the
    reply that followed, and nine replies from other hidden conversations.
    """
    generator = np.random.default_rng(seed)
    number, text = np.asarray(rows["conversation"]), list(rows["text"])
    starts = np.searchsorted(number, np.arange(number[-1] + 2))
    talks = [text[a:b] for a, b in itertools.pairwise(starts.tolist())]
    order = generator.permutation(len(talks))
    tests = round(len(talks) * TEST_SHARE)
    names = generator.permutation(10 * len(talks))[: len(talks)]

    with (public / "train.jsonl").open("w", encoding="utf-8", newline="\n") as out:
        for place in order[tests:]:
            _write(out, {"conversation": int(names[place]), "turns": talks[place]})

    asked = [(place, turn) for place in order[:tests] for turn in _places(talks[place], generator)]
    asked = [asked[row] for row in generator.permutation(len(asked))]
    ids = generator.permutation(10 * len(asked))[: len(asked)]
    is_public = generator.permutation(len(asked)) < round(len(asked) * PUBLIC_SHARE)
    names_of = [f"c{n}" for n in range(CANDIDATES)]
    header = ",".join(names_of)
    with (
        (public / "test.jsonl").open("w", encoding="utf-8", newline="\n") as test,
        (public / "sample_submission.csv").open("w", newline="\n") as sample,
        (private / "answers.csv").open("w", newline="\n") as answers,
    ):
        sample.write(f"id,{header}\n")
        answers.write("id,reply,Usage\n")
        for row, (place, turn) in enumerate(asked):
            right = talks[place][turn]
            others = _others(right, place, asked, talks, generator)
            reply = int(generator.integers(CANDIDATES))
            candidates = [*others[:reply], right, *others[reply:]]
            context = talks[place][max(0, turn - CONTEXT) : turn]
            _write(test, {"id": int(ids[row]), "context": context, "candidates": candidates})
            sample.write(f"{ids[row]}{',0' * CANDIDATES}\n")
            answers.write(f"{ids[row]},{reply},{'Public' if is_public[row] else 'Private'}\n")


def _places(talk: list[str], generator: np.random.Generator) -> list[int]:
    """Turns of a conversation that are asked for: from the third on, and no two neighbours."""
    possible = np.arange(2 + int(generator.integers(2)), len(talk), 2)
    chosen = generator.permutation(possible)[:PER_CONVERSATION]
    return [int(turn) for turn in chosen if len(talk[turn].split()) > 1]


def _others(
    right: str,
    place: int,
    asked: list[tuple[Any, int]],
    talks: list[list[str]],
    generator: np.random.Generator,
) -> list[str]:
    """Nine different replies to questions of other conversations."""
    found: list[str] = []
    while len(found) < CANDIDATES - 1:
        other, turn = asked[int(generator.integers(len(asked)))]
        reply = talks[other][turn]
        if other != place and reply != right and reply not in found:
            found.append(reply)
    return found


def _write(out: Any, record: dict[str, Any]) -> None:
    out.write(json.dumps(record, ensure_ascii=False) + "\n")


def _talks(wheel: Path) -> Iterator[list[str]]:
    """Conversations of the package that are long enough and not rough, without addresses.

    Messages that one person sent in a row are one turn. The order is that of a digest of the
    text: the small edition is the first 2,000, a draw that nobody chose.
    """
    with zipfile.ZipFile(wheel) as archive:
        whole = json.loads(archive.read("chitchat_dataset/dataset.json"))
    talks = []
    for conversation in whole.values():
        turns = [
            " ".join(ADDRESS.sub("…", " ".join(message["text"] for message in turn)).split())
            for turn in conversation["messages"]
        ]
        turns = [turn for turn in turns if turn]
        if len(turns) >= FEWEST_TURNS and not any(ROUGH.search(turn) for turn in turns):
            talks.append(turns)
    yield from sorted(talks, key=lambda turns: hashlib.sha256("\n".join(turns).encode()).digest())


if __name__ == "__main__":
    lines = [
        json.dumps(talk, ensure_ascii=False) + "\n"
        for talk, _ in zip(_talks(Path(sys.argv[1])), range(SMALL_CONVERSATIONS), strict=False)
    ]
    packed = lzma.compress("".join(lines).encode(), preset=9 | lzma.PRESET_EXTREME)
    Path(__file__).with_name("small.jsonl.xz").write_bytes(packed)
