"""Translation with a GRU that reads, a GRU that writes, attention, and a dictionary as a hint.

Command     python baselines/translation-seq2seq.py --data translation --out submission.jsonl
Data        train.jsonl, test.jsonl from `podium download translation`
Measured    One thread of a machine that others kept busy, 26 Nov 2026. Small edition, one seed and
            one split: chrF 41.1 (word by word: 38.7), BLEU 17.3, in 11 min of it.
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
BATCH, RATE = 16, 2e-3
HINT_FLOOR = 1e-4  # what the dictionary leaves to words it does not know
FREQUENT, OFFERED = 300, 10  # pieces that are always thought of, and for each English one
BEAM = 5  # beginnings of a translation that are followed at once
WORTH = 1.0  # of a piece in a search: without it short ones win, and chrF wants all that was said

Pair = tuple[list[int], list[int]]  # the pieces of a verse in English and in French


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


def dictionary(pairs: list[Pair], size: int, rounds: int = 5) -> tuple[Tensor, list[Tensor]]:
    """P(French piece | English piece), (size, size), by IBM model 1; see translation.py.

    With it, for each pair of verses: from which English piece each French one comes, in shares,
    (French, English). Pieces at like places are more likely to belong together (Dyer et al. 2013).
    """
    cell = np.concatenate([np.add.outer(f, np.multiply(e, size)).ravel() for e, f in pairs])
    distance = [
        np.subtract.outer(np.arange(len(f)) / len(f), np.arange(len(e)) / len(e)).ravel()
        for e, f in pairs
    ]
    near = np.exp(-4 * np.abs(np.concatenate(distance)))
    lengths = np.concatenate([np.full(len(f), len(e)) for e, f in pairs])
    place = np.repeat(np.arange(len(lengths)), lengths)
    chance = np.ones(size * size)
    for _ in range(rounds):
        share = chance[cell] * near
        share /= np.bincount(place, share)[place]
        table = np.bincount(cell, share, size * size).reshape(size, size)
        chance = (table / table.sum(1, keepdims=True).clip(1e-9)).ravel()
    parts = torch.from_numpy(share).float().split([len(e) * len(f) for e, f in pairs])
    shares = [part.view(len(f), len(e)) for part, (e, f) in zip(parts, pairs, strict=True)]
    return torch.from_numpy(chance.reshape(size, size)).float(), shares


class Translator(nn.Module):
    """Reads both ways, writes one way, and looks back at every step (Luong et al. 2015)."""

    def __init__(self, size: int, hint: Tensor | None, frequent: Tensor, width: int = 256) -> None:
        super().__init__()
        self.vectors = nn.Embedding(size, width, padding_idx=NOTHING)
        self.reader = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)
        self.writer = nn.GRU(width, width, batch_first=True)
        self.look = nn.Linear(width, width, bias=False)
        self.join = nn.Linear(2 * width, width)
        self.out = nn.Linear(width, size)
        self.drop = nn.Dropout(0.2)
        self.hint, self.frequent = hint, frequent
        self.offered: Tensor | None = None if hint is None else hint.topk(OFFERED, dim=1)[1]

    def thought_of(self, english: Tensor, french: Tensor) -> Tensor | None:
        """The pieces among which those of a batch are learned (Jean et al. 2015); None: all."""
        # To score all of them is most of the work, and the others teach little.
        if self.offered is None:
            return None
        pieces = [self.frequent, self.offered[english].flatten(), french.flatten()]
        found: Tensor = torch.cat(pieces).unique()
        return found

    def read(self, english: Tensor) -> tuple[Tensor, Tensor]:
        """What each piece means where it stands, and what the whole means."""
        states, last = self.reader(self.drop(self.vectors(english)))
        return states, torch.cat([last[0], last[1]], dim=1).unsqueeze(0)

    def write(
        self, before: Tensor, state: Tensor, english: Tensor, read: Tensor, among: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of the piece that follows each of `before`, the new state, and the attention.

        `before` is (verses, steps) in training, and (verses x beginnings, 1) in a search.
        """
        states, state = self.writer(self.drop(self.vectors(before)), state)
        states = states.reshape(len(english), -1, states.shape[2])
        fit = states @ self.look(read).transpose(1, 2)
        attention = fit.masked_fill((english == NOTHING).unsqueeze(1), -torch.inf).softmax(2)
        joined = torch.tanh(self.join(torch.cat([states, attention @ read], dim=2)))
        weight: Tensor = self.out.weight if among is None else self.out.weight[among]
        bias: Tensor = self.out.bias if among is None else self.out.bias[among]
        scores = functional.linear(self.drop(joined), weight, bias)
        if self.hint is not None:
            # What the dictionary says about the pieces that are looked at.
            rows = self.hint[english] if among is None else self.hint[english.unsqueeze(2), among]
            scores = scores + torch.log(attention @ rows + HINT_FLOOR)
        return scores, state, attention


def padded(rows: list[list[int]]) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [NOTHING] * (longest - len(row)) for row in rows])


def train(
    model: Translator, pairs: list[Pair], shares: list[Tensor], epochs: int, device: str
) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-2, fused=True)
    order = sorted(range(len(pairs)), key=lambda place: len(pairs[place][1]))
    parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    step, steps, started = 0, epochs * len(parts), time.process_time()
    for _ in range(epochs):
        model.train()
        for number in torch.randperm(len(parts)).tolist():
            chosen = [pairs[place] for place in parts[number]]
            english = padded([e for e, _ in chosen]).to(device)
            french = padded([[BEGIN, *f, END] for _, f in chosen]).to(device)
            optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)  # to nothing at the end
            read, state = model.read(english)
            among, goal = model.thought_of(english, french), french[:, 1:].flatten()
            if among is not None:
                goal = torch.searchsorted(among, goal)  # where it stands among them
            scores, _, attention = model.write(french[:, :-1], state, english, read, among)
            loss = functional.cross_entropy(scores.flatten(0, 1), goal, ignore_index=NOTHING)
            if shares:
                # Where to look is told, less and less (Chen et al. 2016): it is slow to find out.
                told = torch.zeros_like(attention)
                for row, place in enumerate(parts[number]):
                    height, width = shares[place].shape
                    told[row, :height, :width] = shares[place]
                loss -= (1 - step / steps) * (told * (attention + 1e-6).log()).sum() / told.sum()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            if step % 200 == 0:
                seconds = time.process_time() - started
                print(f"step {step}/{steps}  loss {loss.item():.3f}  {seconds:.0f} s", flush=True)


@torch.inference_mode()
def translate(model: Translator, verses: list[list[int]], device: str) -> list[list[int]]:
    """The best of BEAM translations of each verse, by log probability and length."""
    model.eval()
    best: list[tuple[float, list[int]]] = [(-np.inf, []) for _ in verses]
    order = sorted(range(len(verses)), key=lambda place: len(verses[place]))
    for start in range(0, len(order), 64):
        chosen = order[start : start + 64]
        rows = torch.arange(len(chosen), device=device).unsqueeze(1)
        english = padded([verses[place] for place in chosen]).to(device)
        read, state = model.read(english)
        state = state.repeat_interleave(BEAM, dim=1)
        texts = torch.full((len(chosen), BEAM, 1), BEGIN, device=device)
        sums = torch.tensor([0.0] + [-torch.inf] * (BEAM - 1), device=device).repeat(len(chosen), 1)
        for length in range(1, LONGEST + 1):
            last = texts[:, :, -1].reshape(-1, 1)
            scores, state, _ = model.write(last, state, english, read, None)
            sums = sums.unsqueeze(2) + scores.log_softmax(2)
            for row, (ended, which) in enumerate(zip(*sums[:, :, END].max(1), strict=True)):
                value = float(ended) + WORTH * length
                if value > best[chosen[row]][0]:
                    best[chosen[row]] = value, texts[row, which, 1:].tolist()
            sums[:, :, END] = -torch.inf
            sums, places = sums.flatten(1).topk(BEAM)
            came, piece = places // scores.shape[2], places % scores.shape[2]
            texts = torch.cat([texts[rows, came], piece.unsqueeze(2)], dim=2)
            state = state.view(len(chosen), BEAM, -1)[rows, came].view(1, len(chosen) * BEAM, -1)
            hopes = (sums[:, 0] + WORTH * length).tolist()
            if all(best[place][0] > hope for place, hope in zip(chosen, hopes, strict=True)):
                break
    return [row for _, row in best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("translation" if Path("translation").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: translation/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.jsonl"))
    parser.add_argument("--epochs", type=int, default=5, help="rounds over all pairs")
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
    print(f"{len(pairs)} pairs of verses, {size} pieces", flush=True)
    hint, shares = (None, []) if options.plain else dictionary(pairs, size)
    hint = hint if hint is None else hint.to(device)
    times = Counter(piece for _, verse in pairs for piece in verse)
    frequent = torch.tensor([piece for piece, _ in times.most_common(FREQUENT)], device=device)
    model = Translator(size, hint, frequent).to(device)
    train(model, pairs, shares, options.epochs, device)

    found = translate(model, [pieces.of(each["english"]) for each in asked], device)
    with options.out.open("w", encoding="utf-8") as out:
        for each, row in zip(asked, found, strict=True):
            record = {"id": each["id"], "french": pieces.text(row) or each["english"]}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    print(f"wrote {options.out} with {len(asked)} verses")


if __name__ == "__main__":
    main()
