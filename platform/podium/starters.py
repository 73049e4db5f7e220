"""What students begin with: the script of a baseline, the same as a notebook, a network."""

import ast
import hashlib
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from podium import catalog
from podium.catalog import Spec

Cell = dict[str, Any]

MEANING = {".py": "Starter: {title}. Run it, then change it.", ".ipynb": "The same as a notebook."}
HOW = (
    "The cells are those of `{script}`, in its order: what it needs, its parts, then what it does "
    "step by step. `ARGUMENTS` are the ones of the command line."
)


def write(spec: Spec, folder: Path, public: Path) -> Iterator[tuple[str, str]]:
    """Put what students begin with into `public`: each name, and what it is.

    The first baseline's script and notebook, and the network that weights are handed in for.
    """
    if spec.run.model is not None and (network := spec.run.model.network):
        (public / network.file).write_text(network.source, encoding="utf-8")
        yield network.file, "The network whose weights may be handed in."
    for baseline in spec.baselines[:1]:
        script = catalog.script(folder, baseline)
        text = {".py": script.read_text("utf-8"), ".ipynb": notebook(script, baseline.small)}
        for suffix, content in text.items():
            name = f"{script.stem}{suffix}"
            (public / name).write_text(content, encoding="utf-8")
            yield name, MEANING[suffix].format(title=baseline.title)


def notebook(script: Path, arguments: list[str]) -> str:
    """The notebook (nbformat 4.5) of a script that has a docstring, parts and `main`.

    The body of `main` stands in cells of its own, cut at its blank lines, so that every variable
    can be looked at; only where `main` reads the command line it reads `arguments` instead.
    """
    source = script.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(source)) or script.stem
    title, _, rest = docstring.partition("\n")
    about = f"# {title}\n\n```\n{rest.strip()}\n```\n\n{HOW.format(script=script.name)}"
    said = f"__doc__ = {title!r}\nARGUMENTS = {arguments!r}"
    cells = [_cell("markdown", about), _cell("code", said)]
    cells += [_cell("code", text) for text in _parts(source)]
    for number, cell in enumerate(cells):  # the same script gives the same bytes
        digest = hashlib.sha256(f"{number} {cell['source']}".encode()).hexdigest()
        cell["id"] = digest[:12]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _parts(source: str) -> Iterator[str]:
    """The code of each cell: imports and constants, a class or function, a step of main."""
    lines = source.splitlines()
    body = ast.parse(source).body[1:]  # less the docstring
    plain: list[str] = []
    before = body[0].lineno - 1
    for node in body:
        text = "\n".join(lines[before : node.end_lineno]).strip("\n")
        before = node.end_lineno or before
        if isinstance(node, ast.If):  # `if __name__ == "__main__"`: a notebook is
            continue
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            plain.append(text)
            continue
        if plain:
            yield "\n".join(plain)
            plain = []
        yield from _steps(node, lines) if node.name == "main" else [text]


def _steps(main: ast.stmt, lines: list[str]) -> Iterator[str]:
    """The body of main, cut where it has blank lines between statements."""
    assert isinstance(main, ast.FunctionDef)
    step: list[str] = []
    before = main.body[0].lineno - 1
    for node in main.body:
        text = lines[before : node.end_lineno]
        before = node.end_lineno or before
        if step and not text[0].strip():
            yield _told(step)
            step = []
        step += text
    yield _told(step)


def _told(step: list[str]) -> str:
    text = textwrap.dedent("\n".join(step)).strip("\n")
    return text.replace("parser.parse_args()", "parser.parse_args(ARGUMENTS)")


def _cell(kind: str, text: str) -> Cell:
    cell: Cell = {"cell_type": kind, "id": "", "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": text.splitlines(keepends=True)}
