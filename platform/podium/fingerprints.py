"""How alike two programs are, whatever their names, comments and layout: winnowing.

Runs of tokens are hashed and some of the hashes kept, so that any copied stretch of a few lines
leaves a common one. Source: Schleimer, Wilkerson and Aiken 2003.
"""

import hashlib
import io
import keyword
import tokenize
import zipfile
from collections.abc import Iterator, Set

RUN = 12  # tokens hashed together
WINDOW = 8  # hashes of which the least is kept
MOST_BYTES = 1 << 20  # of source that are looked at
SKIPPED = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
OTHER = (tokenize.ENCODING, tokenize.ENDMARKER)


def sources(content: bytes) -> dict[str, str]:
    """The Python files of a bundle, by name; at most a mebibyte of them."""
    found: dict[str, str] = {}
    left = MOST_BYTES
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in sorted(archive.infolist(), key=lambda one: one.filename):
            if entry.filename.endswith(".py") and 0 < entry.file_size <= left:
                with archive.open(entry) as file:
                    text = file.read(left)
                left -= len(text)
                found[entry.filename] = text.decode("utf-8", "replace")
    return found


def fingerprint(source: str) -> frozenset[int]:
    """The kept hashes of a program.

    >>> a = "def area(width, height):\\n    total = width * height\\n    return total + 1\\n"
    >>> b = a.replace("width", "w").replace("total", "t").replace("    ", "  ")
    >>> fingerprint(a) == fingerprint(b) != frozenset()
    True
    """
    tokens = list(_tokens(source))
    hashes = [
        int.from_bytes(hashlib.blake2b(" ".join(run).encode(), digest_size=8).digest())
        for run in (tokens[i : i + RUN] for i in range(max(0, len(tokens) - RUN + 1)))
    ]
    if len(hashes) <= WINDOW:
        return frozenset(hashes[:1] if not hashes else [min(hashes)])
    return frozenset(min(hashes[i : i + WINDOW]) for i in range(len(hashes) - WINDOW + 1))


def overlap(one: Set[int], other: Set[int]) -> float:
    """The share of the smaller program that is also in the other."""
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0


def _tokens(source: str) -> Iterator[str]:
    """What the program does, token by token: names, numbers and texts are all the same."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in SKIPPED or token.type in OTHER:
                continue
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                yield "name"
            elif token.type == tokenize.NUMBER:
                yield "number"
            elif token.type == tokenize.STRING:
                yield "text"
            else:
                yield token.string
    except (tokenize.TokenError, SyntaxError):  # up to there it was a program
        return
