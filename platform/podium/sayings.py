"""What the code says in finished English sentences, found again by its pattern and translated.

An error is raised with its values in it, and a flash, a verdict's reason and the fault of a file
are kept so. `make words` puts the patterns of the sources into the catalogs (`web.phrases`), and
`in_language` finds the one that a sentence fits. What fits none stays as it is. The API and the
command line say English.
"""

import functools
import hashlib
import json
import re
from dataclasses import dataclass

from podium.languages import PLACE, SPOKEN, catalog, file_of

# Who says what a page is told by a check of its own or by a replay, without the server's templates.
TOLD_BY = ("podium_scoring/", "sandbox/", "referee/", "checking.py", "playing.py", "running.py")
# Places whose value is a saying itself, by a word of their name.
NESTED = re.compile(
    r"(?:^|_)(?:expected|got|fault|reason|noun|what|kind|wanted|told|said|message|culprit|word"
    r"|happened|worker|having|more|form|waits|between)(?:_|$)"
)
# A longer text is somebody's input with a few words of ours; to search it would only cost time.
LONGEST = 1000
SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z])")
MOST_SENTENCES = 5
START = 4  # letters by which patterns are told apart before they are tried
PIECES = re.compile(r"\{\w+\}")
SPLIT = re.compile(r"(\{\w+\})")


def for_scripts(name: str) -> dict[str, object]:
    """What scripts look up: texts word for word, then patterns of what checks and games tell.

    The patterns are JavaScript's, to be tried in order.
    """
    translations = catalog(name)
    own = [
        str(one.id)
        for one in file_of(name)
        if any(file.endswith(".js") for file, _ in one.locations)
    ]
    known = [one for one in _known(name).values() if one.is_told]
    exact = {one.pattern: one.said for one in known if not PLACE.search(one.pattern)}
    exact |= {text: translations[text] for text in (*SPOKEN, *own) if text in translations}
    return {
        "words": exact,
        "patterns": [[one.script, one.said] for one in _patterns(name) if one.is_told],
        "nested": NESTED.pattern,
    }


@functools.cache
def digest(name: str) -> str:
    """What changes with the words of scripts."""
    return hashlib.sha256(json.dumps(for_scripts(name)).encode()).hexdigest()[:12]


@functools.lru_cache(maxsize=4096)
def in_language(text: str, name: str, *, is_part: bool = False) -> str:
    """A sentence of ours, or several, in a language; any other text as it is. Not escaped.

    A part of a sentence is found as well where `is_part` says that the text may be one.

    >>> in_language("Your team is called Three owls.", "de")
    'Dein Team heißt jetzt Three owls.'
    """
    if not _known(name) or len(text) > LONGEST:
        return text
    whole = _found(text, name, is_part=is_part)
    if whole is not None:
        return whole
    parts = SENTENCE.split(text)
    if not 1 < len(parts) <= MOST_SENTENCES:
        return text
    said, at, is_whole = [], 0, True
    while at < len(parts):
        ends = range(len(parts), at, -1)
        tries = ((end, _found(" ".join(parts[at:end]), name)) for end in ends)
        end, found = next((one for one in tries if one[1] is not None), (at + 1, None))
        is_whole &= found is not None
        said.append(parts[at] if found is None else found)
        at = end
    loosely = None if is_whole else _found(text, name, is_part=is_part, is_loose=True)
    return " ".join(said) if loosely is None else loosely


def _found(text: str, name: str, *, is_part: bool = False, is_loose: bool = False) -> str | None:
    """The translation of what is in the catalog as a whole.

    A value does not reach into a next sentence, but where `is_loose`.
    """
    known = _known(name)
    if is_part and text in SPOKEN:
        return catalog(name)[text]
    if text in known and (is_part or not known[text].is_part):
        return known[text].said
    for one in _beginning(name, text[:START]):
        values = one.values(text, is_loose) if is_part or not one.is_part else None
        if values is not None:
            return _filled(one.said, values, name)
    return None


def _filled(translation: str, values: dict[str, str], name: str) -> str:
    """A translation with its values; those that are words of ours are translated too."""
    said = {}
    for key, value in values.items():
        is_ours = value in SPOKEN or NESTED.search(key)
        said[key] = in_language(value, name, is_part=True) if is_ours else value
    return PLACE.sub(lambda place: said[place[1]], translation)


@dataclass(frozen=True)
class Saying:
    """A text of the code and its translation; a part is no whole sentence."""

    pattern: str
    said: str
    is_part: bool
    is_told: bool  # by checks and games, of which pages learn without the server's pages

    @functools.cached_property
    def pieces(self) -> list[str]:
        """What stands between the places."""
        return [piece for piece in PIECES.split(self.pattern) if piece]

    @functools.cached_property
    def expression(self) -> re.Pattern[str]:
        """What fits the pattern."""
        return expression(self.pattern)

    @property
    def script(self) -> str:
        """The same expression in JavaScript."""
        python = self.expression.pattern
        return "^" + re.sub(r"\(\?P=(\w+)\)", r"\\k<\1>", python).replace("(?P<", "(?<") + "$"

    def values(self, text: str, is_loose: bool) -> dict[str, str] | None:
        """What stands at the places of a text that fits; None if it does not."""
        if not all(piece in text for piece in self.pieces):  # at once, for nearly all
            return None
        found = self.expression.fullmatch(text)
        if found is None:
            return None
        values = found.groupdict()
        return values if is_loose or not any(map(SENTENCE.search, values.values())) else None


@functools.cache
def _known(name: str) -> dict[str, Saying]:
    """What the code says, by its pattern."""
    translations, found = catalog(name), {}
    for one in file_of(name):
        files = {file for file, _ in one.locations if file.endswith(".py")}
        if one.id and files and one.id in translations:
            text = str(one.id)
            is_told = any(file.startswith(TOLD_BY) for file in files)
            is_part = is_told and not (text.endswith(".") or text[0].isupper())
            found[text] = Saying(text, translations[text], is_part, is_told)
    return found


@functools.lru_cache(maxsize=1024)
def _beginning(name: str, start: str) -> list[Saying]:
    """The patterns that a text which begins so may fit."""
    leads = [(one, one.pattern[: one.pattern.index("{")][:START]) for one in _patterns(name)]
    return [one for one, lead in leads if start.startswith(lead)]


@functools.cache
def _patterns(name: str) -> list[Saying]:
    """Sayings with places, those first that say most themselves."""
    found = [one for one in _known(name).values() if PLACE.search(one.pattern)]
    return sorted(found, key=lambda one: -len(PLACE.sub("", one.pattern)))


def expression(pattern: str) -> re.Pattern[str]:
    """What fits a pattern; a place that stands twice has the same value twice."""
    seen: set[str] = set()
    out = ""
    for part in SPLIT.split(pattern):
        name = part[1:-1]
        if not PLACE.fullmatch(part):
            out += re.escape(part)
        elif name in seen:
            out += f"(?P={name})"
        else:
            seen.add(name)
            out += f"(?P<{name}>.*?)"
    return re.compile(out, re.DOTALL)
