"""Chatbot with a dual encoder in PyTorch: what was said and what is replied meet in one space.

Command     python baselines/chatbot-encoder.py --data chatbot --out submission.csv
Data        train.jsonl, test.jsonl from `podium download chatbot`
Measured    2 cores, no GPU, 25 Nov 2026, recall@1. Small edition with --epochs 4: 0.573 ± 0.008
            in 1 min of one processor (seeds 0 to 2). Full edition: 0.622 in 3 min (seed 0).
Not a library: copy it, change it, beat it.
"""

import argparse
import csv
import json
import math
import re
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

CONTEXT = 5  # turns, as in the questions
DECAY = 0.5  # weight of a turn against the one after it
RATE = 3e-3


def read(file: Path) -> list[dict[str, Any]]:
    """The records of a JSON Lines file."""
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def words(text: str) -> list[str]:
    return re.findall(r"\w+(?:'\w+)?|[?!:;]+[()D]?", text.lower())


class Bags:
    """Texts as bags of weighted words, ready for `functional.embedding_bag`."""

    def __init__(self, texts: list[str], most: int = 20_000) -> None:
        seen = Counter(word for text in texts for word in set(words(text)))
        kept = [(word, times) for word, times in seen.most_common(most) if times > 1]
        self.numbers = {word: number for number, (word, _) in enumerate(kept)}
        self.rarity = np.array([math.log(len(texts) / times) for _, times in kept])

    def of(self, turns: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Numbers and weights of the words of some turns, the last turn weighing most."""
        numbers, weights = [], []
        for age, turn in enumerate(reversed(turns)):
            for word, times in Counter(words(turn)).items():
                if (number := self.numbers.get(word)) is not None:
                    numbers.append(number)
                    weights.append(DECAY**age * (1 + math.log(times)) * self.rarity[number])
        return np.array(numbers, np.int64), np.array(weights, np.float32)


class Encoder(nn.Module):
    """A shared vector for each word, then a head for what was said and one for replies.

    It starts as a random projection of TF-IDF: the vectors are random, so that texts with common
    words are close already, and the heads add nothing. Learning can only improve on that.
    """

    def __init__(self, vocabulary: int, width: int = 256) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(vocabulary, width) / math.sqrt(width))
        self.heads = nn.ModuleList(self.head(width) for _ in range(2))
        self.scale = nn.Parameter(torch.tensor(math.log(10.0)))

    @staticmethod
    def head(width: int) -> nn.Sequential:
        last = nn.Linear(width, width)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        return nn.Sequential(nn.Linear(width, width), nn.GELU(), last)

    def forward(self, bags: list[tuple[np.ndarray, np.ndarray]], side: int) -> Tensor:
        """Unit vectors (n, width) of bags; side 0 is what was said, 1 a reply."""
        device = self.vectors.device
        numbers = torch.from_numpy(np.concatenate([bag[0] for bag in bags])).to(device)
        weights = torch.from_numpy(np.concatenate([bag[1] for bag in bags])).to(device)
        starts = torch.tensor([0, *np.cumsum([len(bag[0]) for bag in bags])[:-1]], device=device)
        if self.training:  # half of the words are hidden: no pair may hang on one of them
            weights = weights * (torch.rand_like(weights) < 0.5)
        mixed = functional.embedding_bag(
            numbers, self.vectors, starts, mode="sum", per_sample_weights=weights
        )
        mixed = functional.normalize(mixed, dim=1)
        return functional.normalize(mixed + self.heads[side](mixed), dim=1)


def scores(model: Encoder, questions: list[dict[str, Any]], bags: Bags) -> np.ndarray:
    """A score for each candidate of each question, (n, candidates)."""
    model.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(questions), 200):
            part = questions[start : start + 200]
            said = model([bags.of(each["context"]) for each in part], 0)
            replies = model([bags.of([text]) for each in part for text in each["candidates"]], 1)
            found.append(
                torch.einsum("nd,ncd->nc", said, replies.view(len(part), -1, said.shape[1]))
            )
    return torch.cat(found).cpu().numpy()


def in_common(questions: list[dict[str, Any]], bags: Bags) -> np.ndarray:
    """The cosine of TF-IDF between context and candidate, (n, candidates)."""
    found = []
    for each in questions:
        said: defaultdict[int, float] = defaultdict(float)
        for number, weight in zip(*bags.of(each["context"]), strict=True):
            said[int(number)] += float(weight)
        length = math.sqrt(sum(weight**2 for weight in said.values())) or 1.0
        replies = [bags.of([text]) for text in each["candidates"]]
        found.append(
            [
                sum(said[int(n)] * w for n, w in zip(numbers, weights, strict=True))
                / (length * (np.linalg.norm(weights) or 1.0))
                for numbers, weights in replies
            ]
        )
    return np.array(found)


def questions_of(talks: list[list[str]], generator: np.random.Generator) -> list[dict[str, Any]]:
    """Questions as in the test, made from conversations that are kept aside."""
    places = [(talk, turn) for talk in talks for turn in range(2, len(talk), 4)]
    made = []
    for talk, turn in places:
        others = [places[place] for place in generator.integers(len(places), size=9)]
        candidates = [talk[turn], *(other[where] for other, where in others)]
        made.append({"context": talk[max(0, turn - CONTEXT) : turn], "candidates": candidates})
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("chatbot" if Path("chatbot").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: chatbot/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.csv"))
    parser.add_argument("--epochs", type=int, default=8, help="rounds over all pairs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (options.data / "train.jsonl").is_file():
        parser.error(f"no train.jsonl in {str(options.data)!r}: podium download chatbot fetches it")
    torch.manual_seed(options.seed)
    generator = np.random.default_rng(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    talks = [talk["turns"] for talk in read(options.data / "train.jsonl")]
    held, rest = talks[: len(talks) // 10], talks[len(talks) // 10 :]
    bags = Bags([turn for talk in rest for turn in talk])
    pairs = [
        (bags.of(talk[max(0, turn - CONTEXT) : turn]), bags.of([talk[turn]]))
        for talk in rest
        for turn in range(1, len(talk))
    ]
    pairs = [pair for pair in pairs if len(pair[0][0]) and len(pair[1][0])]
    aside = questions_of(held, generator)
    print(f"{len(pairs)} pairs, {len(bags.numbers)} words, {len(aside)} questions kept aside")

    model = Encoder(len(bags.numbers)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-2)
    steps = len(pairs) // 256 + 1
    best, kept = 0.0, model.state_dict()
    for epoch in range(options.epochs):
        model.train()
        total, started = 0.0, time.perf_counter()
        for step, chosen in enumerate(np.array_split(generator.permutation(len(pairs)), steps)):
            # The rate falls to nothing along a straight line.
            left = 1 - (epoch * steps + step) / (options.epochs * steps)
            optimizer.param_groups[0]["lr"] = RATE * left
            said = model([pairs[place][0] for place in chosen], 0)
            replies = model([pairs[place][1] for place in chosen], 1)
            # Every reply of the batch is a candidate for everything that was said in it.
            logits = said @ replies.T * model.scale.exp().clamp(max=20)
            loss = functional.cross_entropy(logits, torch.arange(len(chosen), device=device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        recall = float((scores(model, aside, bags).argmax(1) == 0).mean())
        seconds = time.perf_counter() - started
        print(
            f"epoch {epoch + 1}/{options.epochs}  loss {total / steps:.3f}  "
            f"recall@1 {recall:.3f}  {seconds:.1f} s",
            flush=True,
        )
        if recall > best:  # it learns the training replies by heart in the end: keep the best
            best, kept = recall, {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)

    # Common words say what the vectors have blurred: how much they count is tried out.
    learned, common = scores(model, aside, bags), in_common(aside, bags)
    found = {share: ((learned + share * common).argmax(1) == 0).mean() for share in (0, 0.5, 1, 2)}
    share = max(found, key=found.__getitem__)
    print(f"recall@1 on {len(aside)} questions kept aside: {found[share]:.4f} (share {share})")

    questions = read(options.data / "test.jsonl")
    table = scores(model, questions, bags) + share * in_common(questions, bags)
    with options.out.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", *(f"c{n}" for n in range(table.shape[1]))])
        for each, row in zip(questions, table.tolist(), strict=True):
            writer.writerow([each["id"], *(f"{score:.5f}" for score in row)])
    print(f"wrote {options.out} with {len(questions)} rows")


if __name__ == "__main__":
    main()
