"""The Starter tab: the first steps as commands, and what students begin with, to be read here."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from podium import competitions
from podium.models import ChallengeFile
from podium.web import installation
from podium.web.pages import competition, markup

blueprint = Blueprint("starter", __name__, url_prefix="/c/<slug>/starter")

SCRIPT, NOTEBOOK = ".py", ".ipynb"
LONGEST = 1 << 20  # bytes that are shown


@dataclass(frozen=True)
class Cell:
    """A part of a notebook: words or code, as HTML."""

    is_code: bool
    html: Markup


@dataclass(frozen=True)
class Shown:
    """A file that students begin with: as cells or as one piece, or too long to be shown."""

    file: ChallengeFile
    cells: list[Cell]

    @property
    def is_notebook(self) -> bool:
        """Whether it is read in cells."""
        return self.file.name.endswith(NOTEBOOK)


@blueprint.get("")
def show(slug: str) -> str:
    """Commands, notebook and scripts of a competition."""
    here = installation()
    with here.database.reading() as session:
        shown = competition.frame(session, slug)
        files = competitions.files(session, shown.competition)
    starters = [
        Shown(file, list(_cells(file)))
        for file in files
        if file.name.endswith((SCRIPT, NOTEBOOK)) and file.size_bytes <= LONGEST
    ]
    starters.sort(key=lambda one: not one.is_notebook)  # what is read first stands first
    return competition.render("starter", shown, starters=starters)


def _cells(file: ChallengeFile) -> Iterator[Cell]:
    with installation().storage.open(file.file_key) as stored:
        text = stored.read().decode("utf-8", "replace")
    if not file.name.endswith(NOTEBOOK):
        yield Cell(is_code=True, html=coloured(text))
        return
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            yield Cell(is_code=True, html=coloured(source))
        elif cell["cell_type"] == "markdown":
            yield Cell(is_code=False, html=markup.render(source))


@functools.lru_cache(maxsize=512)
def coloured(source: str) -> Markup:
    """Python as HTML with classes of its own, without any style."""
    html = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True, classprefix="py-"))
    return Markup(html)
