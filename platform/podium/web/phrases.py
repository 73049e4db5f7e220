"""What the code says to people, read from its sources for the catalogs: see `podium.sayings`."""

import ast
import importlib.util
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from podium.languages import LETTERS, PLACE

ROOT = Path(__file__).parents[1]
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
INTERNAL = {"AssertionError", "KeyError", "SandboxError", "TimeoutError", "ValueError"}
SCRIPT_SAYS = re.compile(r'\bsay\(("(?:[^"\\]|\\.)*")')


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
