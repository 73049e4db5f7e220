"""The catalogs of translations, brought up to date: `make words`.

Every text of the templates, of the scripts and of the modules that `phrases` names is in
every catalog; what was changed is marked fuzzy and shown in English until somebody has looked.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, FileSystemLoader
from jinja2.nodes import Call, Const, Name

from podium.languages import CATALOGS, SPOKEN
from podium.verdicts import Verdict
from podium.web import phrases, words
from podium.web.pages import display

TEMPLATES = Path(__file__).parent / "templates"


def messages() -> Iterator[tuple[str, str]]:
    """Every text of every template, with the template that has it."""
    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(loader=loader, autoescape=True, extensions=[words.Wrapping])
    for name in sorted(environment.list_templates(extensions=["html"])):
        source, _, _ = loader.get_source(environment, name)
        for node in environment.parse(source, name).find_all(Call):
            is_ours = isinstance(node.node, Name) and node.node.name == "_w"
            if is_ours and node.args and isinstance(node.args[0], Const):
                yield str(node.args[0].value), name


def of_templates() -> Catalog:
    """The texts of templates and code as a catalog without translations."""
    found = Catalog(project="Podium", fuzzy=False)
    for message, name in messages():
        found.add(message, locations=[(name, 0)])
    for message, name in phrases.of_code():
        found.add(message, locations=[(name, 0)])
    for message, name in phrases.of_scripts():
        found.add(message, locations=[(name, 0)])
    for message in (*SPOKEN, *words.TABLES, *display.ERROR_TITLES.values()):
        found.add(message)
    for verdict in Verdict:
        found.add(verdict.meaning.title)
        found.add(verdict.meaning.help)
    return found


def read(file: Path) -> Catalog:
    """A catalog as it is committed."""
    with file.open("rb") as source:
        return read_po(source, locale=file.stem)


def text_of(catalog: Catalog) -> bytes:
    """A catalog as it is committed: in the order of the texts, without dates."""
    out = BytesIO()
    write_po(out, catalog, width=0, omit_header=True, include_lineno=False, sort_output=True)
    return out.getvalue()


def update() -> None:
    """Bring every catalog up to date with the templates."""
    for file in sorted(CATALOGS.glob("*.po")):
        catalog = read(file)
        catalog.update(of_templates())
        catalog.obsolete.clear()
        file.write_bytes(text_of(catalog))


if __name__ == "__main__":
    update()
