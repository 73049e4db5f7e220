"""What the code says in finished English sentences, found again by its pattern and translated.

An error is raised with its values in it, and a flash is kept in the session so. `of_code` reads
the patterns from the sources, `make words` puts them into the catalogs, and `said` finds the one
that a sentence fits. What fits none stays as it is. The API and the command line say English.
"""

import ast
import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from podium.web.words import LETTERS, PLACE, SPOKEN, catalog, file_of, language

ROOT = Path(__file__).parents[1]
# Whose sentences are in the catalogs. A module is added here when its German is written.
SOURCES = (
    *("accounts.py", "invitations.py", "limits.py", "proofs.py", "submissions.py", "teams.py"),
    *("web/errors.py", "web/identity.py", "web/uploads.py"),
    *(f"web/pages/{name}.py" for name in ("account", "forms", "myself", "notifications")),
    *(f"web/pages/{name}.py" for name in ("provider", "recovery", "submissions", "teams")),
    *("web/pages/competition.py", "web/pages/discussion.py", "web/pages/courses.py"),
    *("addresses.py", "discussion.py", "finals.py", "departure.py", "joinrequests.py"),
    *("entryrequests.py", "identities.py", "notifications.py", "competitions.py"),
    *("attempts.py", "difference.py", "reminders.py", "reveal.py", "arrivals.py", "publishing.py"),
    *("courses.py", "grades.py", "plaincsv.py", "editing.py", "boardoptions.py", "conduct.py"),
    *("revision.py", "template.py", "givens.py", "roster.py", "allowances.py", "gradelists.py"),
    *("bulkacts.py", "announcements.py", "rescoring.py", "targets.py", "episodes.py"),
    *("hosting.py", "history.py", "operation.py", "retention.py", "seasons.py", "boardrules.py"),
    *("handedin.py", "modelfile.py", "checking.py", "web/provider.py"),
    *(f"web/pages/{name}.py" for name in ("manage", "publishing", "grades", "operation")),
    *(f"web/pages/{name}.py" for name in ("leaderboard", "announcements", "admin", "teach")),
)
# A longer text is somebody's input with a few words of ours; to search it would only cost time.
LONGEST = 1000


def of_code() -> Iterator[tuple[str, str]]:
    """Every sentence given to an error, a flash, a notice or `message =`, with its source."""
    for source in SOURCES:
        for node in ast.walk(ast.parse((ROOT / source).read_text(encoding="utf-8"))):
            for said_by in _given(node):
                for pattern in patterns(said_by):
                    if LETTERS.search(PLACE.sub("", pattern)):
                        yield pattern, source


def _given(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        names = [one.id for one in node.targets if isinstance(one, ast.Name)]
        return [node.value] if names == ["message"] else []
    if not isinstance(node, ast.Call) or not node.args:
        return []
    name = ast.unparse(node.func).rpartition(".")[2]
    if name == "tell":
        return node.args[3:4]  # of `podium.notifications`: session, kind, people, text
    return node.args[:1] if name == "flash" or name.endswith("Error") else []


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


def said(text: str) -> str:
    """A sentence of ours in the reader's language, not escaped; any other text as it is."""
    return in_language(str(text), language())


def in_language(text: str, name: str) -> str:
    """The same for a language that is given.

    >>> in_language("Your team is called Three owls.", "de")
    'Dein Team heißt jetzt Three owls.'
    """
    known = _known(name)
    if text in known or not known:
        return known.get(text, text)
    if len(text) > LONGEST:
        return text
    for pattern, german in _patterns(name):
        if found := pattern.fullmatch(text):
            return _filled(german, found.groupdict(), name)
    return text


def _filled(german: str, values: dict[str, str], name: str) -> str:
    """A translation with its values; those that are words of ours are translated too."""
    said = {key: catalog(name)[one] if one in SPOKEN else one for key, one in values.items()}
    return PLACE.sub(lambda place: said[place[1]], german)


@functools.cache
def _known(name: str) -> dict[str, str]:
    """The translations of sentences of the code, by their patterns."""
    sources = file_of(name)
    said_by_code = {
        str(one.id)
        for one in sources
        if one.id and any(file.endswith(".py") for file, _ in one.locations)
    }
    return {one: text for one, text in catalog(name).items() if one in said_by_code}


@functools.cache
def _patterns(name: str) -> list[tuple[re.Pattern[str], str]]:
    """Sentences with places as expressions, those first that say most themselves."""
    found = [(one, text) for one, text in _known(name).items() if PLACE.search(one)]
    found.sort(key=lambda pair: -len(PLACE.sub("", pair[0])))
    return [(expression(one), text) for one, text in found]


def expression(pattern: str) -> re.Pattern[str]:
    """What fits a pattern; a place that stands twice has the same value twice."""
    seen: set[str] = set()
    out = ""
    for part in re.split(r"(\{\w+\})", pattern):
        name = part[1:-1]
        if not PLACE.fullmatch(part):
            out += re.escape(part)
        elif name in seen:
            out += f"(?P={name})"
        else:
            seen.add(name)
            out += f"(?P<{name}>.*?)"
    return re.compile(out, re.DOTALL)
