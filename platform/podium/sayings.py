"""What the code says in finished English sentences, found again by its pattern and translated.

An error is raised with its values in it, and a flash, a verdict's reason and the fault of a file
are kept so. `of_code` reads the patterns from the sources, `make words` puts them into the
catalogs, and `in_language` finds the one that a sentence fits. What fits none stays as it is. The
API and the command line say English.
"""

import ast
import functools
import hashlib
import importlib.util
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from podium.languages import LETTERS, PLACE, SPOKEN, catalog, file_of

ROOT = Path(__file__).parent
# Whose errors, flashes, notices and letters are in the catalogs. A module is added here, or below,
# when its German is written.
SOURCES = (
    *("accounts.py", "invitations.py", "limits.py", "proofs.py", "submissions.py", "teams.py"),
    *("web/errors.py", "web/identity.py", "web/uploads.py"),
    *(f"web/pages/{name}.py" for name in ("account", "forms", "myself", "notifications")),
    *(f"web/pages/{name}.py" for name in ("provider", "recovery", "submissions", "teams")),
    *("web/pages/competition.py", "web/pages/discussion.py", "web/pages/courses.py"),
    *("addresses.py", "discussion.py", "finals.py", "departure.py", "joinrequests.py"),
    *("entryrequests.py", "identities.py", "notifications.py", "competitions.py", "letters.py"),
    *("difference.py", "reminders.py", "reveal.py", "arrivals.py"),
    *("courses.py", "plaincsv.py", "editing.py", "boardoptions.py", "conduct.py"),
    *("revision.py", "template.py", "givens.py", "roster.py", "allowances.py", "gradelists.py"),
    *("bulkacts.py", "announcements.py", "rescoring.py", "targets.py", "episodes.py"),
    *("hosting.py", "history.py", "operation.py", "retention.py", "seasons.py", "boardrules.py"),
    *("handedin.py", "modelfile.py", "web/provider.py"),
    *(f"web/pages/{name}.py" for name in ("manage", "publishing", "grades", "operation")),
    *(f"web/pages/{name}.py" for name in ("leaderboard", "announcements", "admin", "teach")),
)
# Modules that tell what is wrong with a file or how a program ended, in sentences and in parts of
# sentences that are put together: every text in them is in the catalogs.
TELLERS = (
    *("attempts.py", "finalround.py", "judging.py", "matches.py", "playing.py", "running.py"),
    *("checking.py", "waiting.py", "workers.py", "web/pages/handedin.py"),
    *("dashboard.py", "grades.py", "publishing.py", "checkup.py", "inspection.py"),
    *(f"sandbox/{name}.py" for name in ("bundle", "confinement", "feeding", "link", "onnxfile")),
    *(f"sandbox/{name}.py" for name in ("scripts", "served", "watch", "weights")),
    *(f"referee/{name}.py" for name in ("clock", "connect_four", "match", "solo", "worlds")),
    *(f"podium_scoring/{name}.py" for name in ("archive", "arrays", "classification", "coco")),
    *(f"podium_scoring/{name}.py" for name in ("cocofile", "column", "csvfile", "detection")),
    *(f"podium_scoring/{name}.py" for name in ("dialogue", "faults", "generation", "grading")),
    *(f"podium_scoring/{name}.py" for name in ("hostmetric", "inputs", "jsonlines", "jsontext")),
    *(f"podium_scoring/{name}.py" for name in ("npzfile", "parquetfile", "pngfile")),
    *(f"podium_scoring/{name}.py" for name in ("probability", "regression", "relevance", "rules")),
    *(f"podium_scoring/{name}.py" for name in ("ranking", "schema", "score")),
    *(f"podium_scoring/{name}.py" for name in ("segmentation", "tables", "textfile")),
    "podium_scoring/translation.py",
)
# How `podium_scoring.faults` puts a place and what is wrong there together.
FAULTS = tuple(
    f"{place}{'expected' if place else 'Expected'} {{expected}}, got {{got}}.{others}"
    for others in ("", " There are {more} more faults.")
    for place in (
        "",
        "Column {column}: ",
        *(f"{noun} {{number}}: " for noun in ("Line", "Row", "Box", "Image")),
        *(f"{noun} {{number}}, column {{column}}: " for noun in ("Line", "Row", "Box", "Image")),
    )
)
# Places whose value is a saying itself, by a word of their name.
NESTED = re.compile(
    r"(?:^|_)(?:expected|got|fault|reason|noun|what|kind|wanted|told|said|message|culprit|word"
    r"|happened|worker|having|more|form|waits|between)(?:_|$)"
)
INTERNAL = {"AssertionError", "KeyError", "SandboxError", "TimeoutError", "ValueError"}
# A longer text is somebody's input with a few words of ours; to search it would only cost time.
LONGEST = 1000
SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z])")
MOST_SENTENCES = 5
START = 4  # letters by which patterns are told apart before they are tried
SCRIPT_SAYS = re.compile(r'\bsay\(("(?:[^"\\]|\\.)*")')
PIECES = re.compile(r"\{\w+\}")
SPLIT = re.compile(r"(\{\w+\})")


def of_code() -> Iterator[tuple[str, str]]:
    """Every sentence that the code says to people, or a part of one, with its source."""
    for source in (*SOURCES, *TELLERS):
        tree = ast.parse(path_of(source).read_text(encoding="utf-8"))
        found = _texts(tree) if source in TELLERS else itertools.chain(*map(_given, ast.walk(tree)))
        for said_by in found:
            for pattern in patterns(said_by):
                if " " in pattern and "|" not in pattern and LETTERS.search(PLACE.sub("", pattern)):
                    yield pattern.strip(), source
    for pattern in FAULTS:
        yield pattern, "podium_scoring/errors.py"


def of_scripts() -> Iterator[tuple[str, str]]:
    """Every text that a script says by `say("…")`, with the script."""
    for file in sorted((ROOT / "web" / "static").glob("*.js")):
        for found in SCRIPT_SAYS.finditer(file.read_text(encoding="utf-8")):
            yield json.loads(found[1]), f"web/static/{file.name}"


def for_scripts(name: str) -> dict[str, object]:
    """What scripts look up: texts word for word, then patterns of what checks and games tell.

    The patterns are JavaScript's, to be tried in order.
    """
    translations = catalog(name)
    known = [one for one in _known(name).values() if one.is_told]
    exact = {one.pattern: one.said for one in known if not PLACE.search(one.pattern)}
    exact |= {word: translations[word] for word in SPOKEN if word in translations}
    exact |= {text: translations[text] for text, _ in of_scripts() if text in translations}
    return {
        "words": exact,
        "patterns": [[one.script, one.said] for one in _patterns(name) if one.is_told],
        "nested": NESTED.pattern,
    }


@functools.cache
def digest(name: str) -> str:
    """What changes with the words of scripts."""
    return hashlib.sha256(json.dumps(for_scripts(name)).encode()).hexdigest()[:12]


def path_of(source: str) -> Path:
    """Where a source lies: of this package, or of the named one."""
    package, _, file = source.partition("/")
    spec = importlib.util.find_spec(package) if package.startswith("podium_") else None
    return Path(spec.origin).parent / file if spec and spec.origin else ROOT / source


def _given(node: ast.AST) -> list[ast.expr]:
    """What is said by an error, a flash, a notice, a letter, `message =`, `reason=` or `note=`."""
    if isinstance(node, ast.Assign):
        names = [ast.unparse(one).rpartition(".")[2] for one in node.targets]
        return [_bare(node.value)] if names[0] in ("message", "reason", "note") else []
    if not isinstance(node, ast.Call):
        return []
    name = ast.unparse(node.func).rpartition(".")[2]
    given = [_bare(one.value) for one in node.keywords if one.arg in ("reason", "note")]
    if name == "tell":
        return [*given, *node.args[3:4]]  # of `podium.notifications`: session, kind, people, text
    if name in ("flash", "say") or name.endswith("Error"):
        return [*given, *node.args[:1]]
    return given


def _bare(node: ast.expr) -> ast.expr:
    """The text in `f"…".strip()`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        return node.func.value
    return node


def _texts(tree: ast.AST) -> list[ast.expr]:
    """Every text of a module but docstrings, what is compared, logged, or an error of ours."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            silent.update(id(part) for part in ast.walk(node) if part is not node)
        elif isinstance(node, ast.Compare) or _is_internal(node) or _is_docstring(node):
            silent.update(map(id, ast.walk(node)))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in silent
    ]


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_internal(node: ast.AST) -> bool:
    """Whether a call logs, or makes an error that nobody is shown."""
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    return name.startswith(("log.", "re.", "cast")) or name in INTERNAL


def patterns(node: ast.expr) -> list[str]:
    """What an expression can say; a value is a {named} place, a choice of words is each of them.

    >>> patterns(ast.parse("f'Your team is called {name!r}.'", mode="eval").body)
    ['Your team is called {name}.']
    """
    if isinstance(node, ast.IfExp):
        return [*patterns(node.body), *patterns(node.orelse)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value] if " " in node.value or node.value.endswith(".") else []
    if not isinstance(node, ast.JoinedStr):
        return []
    names: dict[str, str] = {}
    parts = [_part(value, names) for value in node.values]
    return ["".join(one) for one in itertools.product(*parts)]


def _part(value: ast.expr, names: dict[str, str]) -> list[str]:
    if isinstance(value, ast.Constant):
        return [str(value.value)]
    if not isinstance(value, ast.FormattedValue):
        return []
    inner = value.value
    if isinstance(inner, ast.IfExp):
        ends = (inner.body, inner.orelse)
        if all(isinstance(end, ast.Constant) for end in ends):
            return [str(ast.literal_eval(end)) for end in ends]
    words = re.findall(r"[A-Za-z]\w*", re.sub(r"'[^']*'", "", ast.unparse(inner)))
    stem = "_".join(words).lower()[:40].strip("_") or "value"
    name, number = stem, 2
    while names.setdefault(name, ast.unparse(inner)) != ast.unparse(inner):
        name, number = f"{stem}_{number}", number + 1
    return [f"{{{name}}}"]


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
        values = None if found is None else found.groupdict()
        return (
            values if is_loose or not any(map(SENTENCE.search, (values or {}).values())) else None
        )


@functools.cache
def _known(name: str) -> dict[str, Saying]:
    """What the code says, by its pattern."""
    translations, found = catalog(name), {}
    for one in file_of(name):
        files = {file for file, _ in one.locations if file.endswith(".py")}
        if one.id and files and one.id in translations:
            text = str(one.id)
            is_part = files <= set(TELLERS) and not (text.endswith(".") or text[0].isupper())
            is_told = not files.isdisjoint(TELLERS) or text in FAULTS
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
