"""Translation with a small Transformer that learns from pairs of verses alone.

Command     python baselines/translation-transformer.py --data translation --out submission.jsonl
Data        train.jsonl, test.jsonl from `podium download translation`
Measured    One thread, 26 Nov 2026: chrF 34.4, BLEU 12.2 in 11 min (word by word: 38.7, 9.2).
Vaswani et al. 2017, with the norms before each part (Xiong et al. 2020). Copy it, beat it.
"""

import argparse
import itertools
import json
import math
import re
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

NOTHING, BEGIN, END, STRANGE = range(4)  # the first entries of the vocabulary
LONGEST = 70  # pieces of a translation
WIDTH, HEADS, LAYERS = 192, 4, 2
BATCH, RATE, WARM = 24, 1.5e-3, 400  # the rate rises over so many steps: it diverges otherwise
BEAM = 5  # beginnings of a translation that are followed at once
WORTH = 1.0  # of a piece in a search: without it short ones win, and chrF wants all that was said

Pair = tuple[list[int], list[int]]  # the pieces of a verse in English and in French
Kept = tuple[Tensor, Tensor]  # keys and values of what was seen, (verses, heads, pieces, width)


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


class Attention(nn.Module):
    """Every place asks all others, by several heads at once."""

    def __init__(self) -> None:
        super().__init__()
        self.ask, self.out = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.tell = nn.Linear(WIDTH, 2 * WIDTH)

    def keep(self, seen: Tensor) -> Kept:
        """What others may ask of these places."""
        keys, values = self.tell(seen).chunk(2, dim=2)
        return by_heads(keys), by_heads(values)

    def forward(self, asking: Tensor, kept: Kept, may: Tensor | None) -> Tensor:
        found = functional.scaled_dot_product_attention(by_heads(self.ask(asking)), *kept, may)
        answer: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return answer


def by_heads(places: Tensor) -> Tensor:
    heads: Tensor = places.unflatten(2, (HEADS, -1)).transpose(1, 2)
    return heads


class Layer(nn.Module):
    """Looks at its own text, a writer at the English too, then thinks each place over."""

    def __init__(self, is_writer: bool) -> None:
        super().__init__()
        self.own, self.other = Attention(), Attention() if is_writer else None
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))
        self.think = nn.Sequential(
            nn.Linear(WIDTH, 3 * WIDTH), nn.ReLU(), nn.Dropout(0.1), nn.Linear(3 * WIDTH, WIDTH)
        )
        self.drop = nn.Dropout(0.1)

    def forward(
        self, x: Tensor, may: Tensor | None, before: Kept | None, read: tuple[Kept, Tensor] | None
    ) -> tuple[Tensor, Kept]:
        normal = self.norms[0](x)
        kept = self.own.keep(normal)
        if before is not None:
            kept = torch.cat([before[0], kept[0]], dim=2), torch.cat([before[1], kept[1]], dim=2)
        x = x + self.drop(self.own(normal, kept, may))
        if self.other is not None and read is not None:
            # All beginnings of a verse's translation ask the same English.
            asking = self.norms[1](x).reshape(len(read[1]), -1, WIDTH)
            x = x + self.drop(self.other(asking, *read)).reshape(x.shape)
        return x + self.drop(self.think(self.norms[2](x))), kept


class Translator(nn.Module):
    """Reads with some layers, writes with others."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(size, WIDTH)  # also say how likely each piece is
        nn.init.normal_(self.vectors.weight, std=WIDTH**-0.5)
        self.readers = nn.ModuleList(Layer(is_writer=False) for _ in range(LAYERS))
        self.writers = nn.ModuleList(Layer(is_writer=True) for _ in range(LAYERS))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.bias, self.drop = nn.Parameter(torch.zeros(size)), nn.Dropout(0.1)

    def enter(self, pieces: Tensor, start: int = 0) -> Tensor:
        """Vectors of pieces, and waves that tell where they stand."""
        place = torch.arange(start, start + pieces.shape[1], device=pieces.device).unsqueeze(1)
        speed = torch.arange(0, WIDTH, 2, device=pieces.device) * (-math.log(10_000) / WIDTH)
        angle = place * speed.exp()
        waves = torch.cat([angle.sin(), angle.cos()], dim=1)
        entered: Tensor = self.drop(self.vectors(pieces) * WIDTH**0.5 + waves)
        return entered

    def read(self, english: Tensor) -> list[tuple[Kept, Tensor]]:
        """What each writing layer may ask of the English."""
        x, may = self.enter(english), (english != NOTHING)[:, None, None]
        for layer in self.readers:
            x, _ = layer(x, may, None, None)
        x = self.norms[0](x)
        return [(cast(Attention, layer.other).keep(x), may) for layer in self.writers]

    def write(
        self, before: Tensor, read: list[tuple[Kept, Tensor]], kept: list[Kept] | None = None
    ) -> tuple[Tensor, list[Kept]]:
        """Scores of the piece that follows each of `before`, and what is kept of them."""
        start, steps = kept[0][0].shape[2] if kept else 0, before.shape[1]
        may = None if kept else torch.ones(steps, steps, device=before.device).tril().bool()
        x, seen = self.enter(before, start), []
        for number, layer in enumerate(self.writers):
            x, own = layer(x, may, kept[number] if kept else None, read[number])
            seen.append(own)
        return functional.linear(self.norms[1](x), self.vectors.weight, self.bias), seen


def padded(rows: list[list[int]]) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [NOTHING] * (longest - len(row)) for row in rows])


def train(model: Translator, pairs: list[Pair], epochs: int, device: str) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), fused=True)
    order = sorted(range(len(pairs)), key=lambda place: len(pairs[place][1]))
    parts = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    step, steps, started = 0, epochs * len(parts), time.process_time()
    for _ in range(epochs):
        model.train()
        for number in torch.randperm(len(parts)).tolist():
            chosen = [pairs[place] for place in parts[number]]
            english = padded([e for e, _ in chosen]).to(device)
            french = padded([[BEGIN, *f, END] for _, f in chosen]).to(device)
            optimizer.param_groups[0]["lr"] = RATE * min((step + 1) / WARM, 1 - step / steps)
            scores, _ = model.write(french[:, :-1], model.read(english))
            loss = functional.cross_entropy(
                scores.flatten(0, 1), french[:, 1:].flatten(), ignore_index=NOTHING
            )
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
    best: list[tuple[float, list[int]]] = [(-math.inf, []) for _ in verses]
    order = sorted(range(len(verses)), key=lambda place: len(verses[place]))
    for start in range(0, len(order), 64):
        chosen = order[start : start + 64]
        rows = torch.arange(len(chosen), device=device).unsqueeze(1)
        read, kept = model.read(padded([verses[place] for place in chosen]).to(device)), None
        texts = torch.full((len(chosen), BEAM, 1), BEGIN, device=device)
        sums = torch.tensor([0.0] + [-torch.inf] * (BEAM - 1), device=device).repeat(len(chosen), 1)
        for length in range(1, LONGEST + 1):
            scores, kept = model.write(texts[:, :, -1].reshape(-1, 1), read, kept)
            scores = scores.reshape(len(chosen), BEAM, -1)
            sums = sums.unsqueeze(2) + scores.log_softmax(2)
            for row, (ended, which) in enumerate(zip(*sums[:, :, END].max(1), strict=True)):
                value = float(ended) + WORTH * length
                if value > best[chosen[row]][0]:
                    best[chosen[row]] = value, texts[row, which, 1:].tolist()
            sums[:, :, END] = -torch.inf
            sums, places = sums.flatten(1).topk(BEAM)
            came, piece = places // scores.shape[2], places % scores.shape[2]
            texts = torch.cat([texts[rows, came], piece.unsqueeze(2)], dim=2)
            flat = (rows * BEAM + came).flatten()
            kept = [(keys[flat], values[flat]) for keys, values in kept]
            hopes = (sums[:, 0] + WORTH * length).tolist()
            if all(best[place][0] > hope for place, hope in zip(chosen, hopes, strict=True)):
                break
    return [row for _, row in best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path("translation" if Path("translation").is_dir() else ".")
    parser.add_argument("--data", type=Path, default=here, help="default: translation/, else .")
    parser.add_argument("--out", type=Path, default=Path("submission.jsonl"))
    parser.add_argument("--epochs", type=int, default=3, help="rounds over all pairs")
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
    model = Translator(size).to(device)
    train(model, pairs, options.epochs, device)

    found = translate(model, [pieces.of(each["english"]) for each in asked], device)
    with options.out.open("w", encoding="utf-8") as out:
        for each, row in zip(asked, found, strict=True):
            record = {"id": each["id"], "french": pieces.text(row) or each["english"]}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
    print(f"wrote {options.out} with {len(asked)} verses")


if __name__ == "__main__":
    main()
