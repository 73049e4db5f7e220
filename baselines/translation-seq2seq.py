"""Translation with a GRU that reads, a GRU that writes, attention, and a dictionary as a hint.

Command     python baselines/translation-seq2seq.py --data translation --out submission.jsonl
Data        train.jsonl, test.jsonl from `podium download translation`
Measured    2 cores, no GPU, 26 Nov 2026. Small edition: chrF 36.5, BLEU 13.7 in 14 min (seed 0).
"""

import argparse
import itertools
import json
import re
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

NOTHING, BEGIN, END, STRANGE = range(4)  # the first entries of the vocabulary
LONGEST = 70  # pieces of a translation
RATE = 2e-3
HINT_FLOOR = 1e-4  # what the dictionary leaves to words it does not know


def read(file: Path) -> list[dict[str, Any]]:
    """The records of a JSON Lines file."""
    with file.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Pieces:
    """Words cut into pieces: byte-pair encoding, on characters (Sennrich et al. 2016).

    The two neighbours that occur together most often become one piece, again and again. So any
    name can be written, and frequent words are one piece. A word begins with the sign ▁.
    """

    def __init__(self, texts: list[str], size: int) -> None:
        times = Counter(word for text in texts for word in self.words(text))
        spelt = {word: list(word) for word in times}
        letters = Counter(letter for word, n in times.items() for letter in word for _ in range(n))
        known = [letter for letter, _ in letters.most_common(200)]
        pairs: Counter[tuple[str, str]] = Counter()
        where: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for word, parts in spelt.items():
            for pair in itertools.pairwise(parts):
                pairs[pair] += times[word]
                where[pair].add(word)
        self.ranks: dict[tuple[str, str], int] = {}
        while len(known) < size and pairs:
            best = max(pairs, key=lambda pair: (pairs[pair], pair))
            self.ranks[best] = len(self.ranks)
            known.append("".join(best))
            for word in where.pop(best):
                parts = spelt[word]
                for pair in itertools.pairwise(parts):
                    pairs[pair] -= times[word]
                spelt[word] = parts = self.merged(parts, best)
                for pair in itertools.pairwise(parts):
                    pairs[pair] += times[word]
                    where[pair].add(word)
            del pairs[best]
        self.texts = ["", "", "", "?", *known]
        self.numbers = {piece: number for number, piece in enumerate(self.texts) if number >= 4}
        self.kept: dict[str, list[int]] = {}

    @staticmethod
    def words(text: str) -> list[str]:
        """Words and signs; ▁ stands where a blank stood."""
        return re.findall(r"▁?(?:\w+|[^\w\s▁])", "▁" + text.replace(" ", "▁"))

    @staticmethod
    def merged(parts: list[str], pair: tuple[str, str]) -> list[str]:
        found: list[str] = []
        for part in parts:
            if found and (found[-1], part) == pair:
                found[-1] += part
            else:
                found.append(part)
        return found

    def of(self, text: str) -> list[int]:
        """The numbers of the pieces of a text."""
        found = []
        for word in self.words(text):
            if word not in self.kept:
                parts = list(word)
                while len(parts) > 1:
                    options = set(itertools.pairwise(parts))
                    pair = min(options, key=lambda one: self.ranks.get(one, len(self.ranks)))
                    if pair not in self.ranks:
                        break
                    parts = self.merged(parts, pair)
                self.kept[word] = [self.numbers.get(part, STRANGE) for part in parts]
            found += self.kept[word]
        return found

    def text(self, numbers: list[int]) -> str:
        """The text of pieces, without blanks at its ends."""
        return "".join(self.texts[number] for number in numbers).replace("▁", " ").strip()


def dictionary(pairs: list[tuple[list[int], list[int]]], size: int, rounds: int = 5) -> Tensor:
    """P(French piece | English piece) by IBM model 1, (size, size); see translation.py."""
    source = np.concatenate([np.tile(e, len(f)) for e, f in pairs])
    target = np.concatenate([np.repeat(f, len(e)) for e, f in pairs])
    lengths = np.concatenate([np.full(len(f), len(e)) for e, f in pairs])
    place = np.repeat(np.arange(len(lengths)), lengths)
    cell = source * size + target
    chance = np.ones(size * size)
    for _ in range(rounds):
        share = chance[cell]
        share /= np.bincount(place, share)[place]
        table = np.bincount(cell, share, size * size).reshape(size, size)
        chance = (table / table.sum(1, keepdims=True).clip(1e-9)).ravel()
    return torch.from_numpy(chance.reshape(size, size)).float()


class Translator(nn.Module):
    """Reads both ways, writes one way, and looks back at every step (Luong et al. 2015)."""

    def __init__(self, size: int, hint: Tensor | None, width: int = 256) -> None:
        super().__init__()
        self.vectors = nn.Embedding(size, width, padding_idx=NOTHING)
        self.reader = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)
        self.writer = nn.GRU(width, width, batch_first=True)
        self.look = nn.Linear(width, width, bias=False)
        self.join = nn.Linear(2 * width, width)
        self.out = nn.Linear(width, size)
        self.drop = nn.Dropout(0.2)
        self.hint = hint

    def read(self, english: Tensor) -> tuple[Tensor, Tensor]:
        """What each piece means where it stands, and what the whole means."""
        states, last = self.reader(self.drop(self.vectors(english)))
        return states, torch.cat([last[0], last[1]], dim=1).unsqueeze(0)

    def write(
        self, before: Tensor, state: Tensor, english: Tensor, read: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Scores of the piece that follows each of `before`, and the writer's new state."""
        states, state = self.writer(self.drop(self.vectors(before)), state)
        fit = states @ self.look(read).transpose(1, 2)
        attention = fit.masked_fill((english == NOTHING).unsqueeze(1), -torch.inf).softmax(2)
        seen = attention @ read
        scores = self.out(self.drop(torch.tanh(self.join(torch.cat([states, seen], dim=2)))))
        if self.hint is not None:
            # What the dictionary says about the pieces that are looked at.
            scores = scores + torch.log(attention @ self.hint[english] + HINT_FLOOR)
        return scores, state


def padded(rows: list[list[int]]) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [NOTHING] * (longest - len(row)) for row in rows])


def train(
    model: Translator, pairs: list[tuple[list[int], list[int]]], epochs: int, device: str
) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-2)
    order = sorted(range(len(pairs)), key=lambda place: len(pairs[place][1]))
    parts = [order[start : start + 24] for start in range(0, len(order), 24)]
    step, steps = 0, epochs * len(parts)
    for epoch in range(epochs):
        model.train()
        total, started = 0.0, time.perf_counter()
        for number in torch.randperm(len(parts)).tolist():
            chosen = [pairs[place] for place in parts[number]]
            english = padded([e for e, _ in chosen]).to(device)
            french = padded([[BEGIN, *f, END] for _, f in chosen]).to(device)
            optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)  # to nothing at the end
            read, state = model.read(english)
            scores, _ = model.write(french[:, :-1], state, english, read)
            loss = functional.cross_entropy(
                scores.flatten(0, 1), french[:, 1:].flatten(), ignore_index=NOTHING
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step, total = step + 1, total + loss.item()
            if step % 200 == 0:
                seconds = time.perf_counter() - started
                print(f"epoch {epoch + 1}/{epochs}  step {step}/{steps}  loss {loss.item():.3f}  "
                      f"{seconds:.0f} s", flush=True)  # fmt: skip
        print(f"epoch {epoch + 1}/{epochs}  mean loss {total / len(parts):.3f}", flush=True)


@torch.inference_mode()
def translate(model: Translator, verses: list[list[int]], device: str) -> list[list[int]]:
    """The most probable piece, again and again, until the end is the most probable."""
    model.eval()
    found: list[list[int]] = [[] for _ in verses]
    order = sorted(range(len(verses)), key=lambda place: len(verses[place]))
    for start in range(0, len(order), 64):
        chosen = order[start : start + 64]
        english = padded([verses[place] for place in chosen]).to(device)
        read, state = model.read(english)
        before = torch.full((len(chosen), 1), BEGIN, device=device)
        written = []
        for _ in range(LONGEST):
            scores, state = model.write(before, state, english, read)
            before = scores.argmax(2)
            written.append(before)
            if bool((torch.cat(written, dim=1) == END).any(dim=1).all()):
                break
        for place, row in zip(chosen, torch.cat(written, dim=1).tolist(), strict=True):
            found[place] = row[: row.index(END)] if END in row else row
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("translation" if Path("translation").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: translation/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.jsonl"))
    parser.add_argument("--epochs", type=int, default=3, help="rounds over all pairs")
    parser.add_argument("--plain", action="store_true", help="without the dictionary")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (options.data / "train.jsonl").is_file():
        parser.error(
            f"no train.jsonl in {str(options.data)!r}: podium download translation fetches it"
        )
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    known, asked = read(options.data / "train.jsonl"), read(options.data / "test.jsonl")
    pieces = Pieces([each[name] for each in known for name in ("english", "french")], 4000)
    pairs = [(pieces.of(each["english"]), pieces.of(each["french"])) for each in known]
    size = len(pieces.texts)
    hint = None if options.plain else dictionary(pairs, size).to(device)
    print(f"{len(pairs)} pairs of verses, {size} pieces", flush=True)
    model = Translator(size, hint).to(device)
    train(model, pairs, options.epochs, device)

    found = translate(model, [pieces.of(each["english"]) for each in asked], device)
    with options.out.open("w", encoding="utf-8") as out:
        for each, row in zip(asked, found, strict=True):
            record = {"id": each["id"], "french": pieces.text(row) or each["english"]}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    print(f"wrote {options.out} with {len(asked)} verses")


if __name__ == "__main__":
    main()
