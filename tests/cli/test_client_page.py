"""docs/reference/client.md: its examples are run, its list of methods is complete."""

import ast
import inspect
import re
import textwrap
from pathlib import Path

import pytest

from podium.client import Client

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "client.md"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_examples_of_the_page_run(
    factory, signed_in, scorer, predictions, monkeypatch, tmp_path, capsys
):
    factory.competition("digits")
    factory.offer("train.csv", b"id,label\n", slug="digits")
    ada = signed_in(factory.person("ada-01"))
    monkeypatch.chdir(tmp_path)
    for name, value in ada.variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "submission.csv").write_text(predictions(20))
    (tmp_path / "data").mkdir()
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))
    exec(compile(code, str(PAGE), "exec"), {})
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "ada-01"
    assert Path("data/train.csv").read_bytes() == b"id,label\n"
    assert "1 ada-01 1.0" in said
    assert any(line.startswith("404 not_found") for line in said)
    assert re.fullmatch(r"1 (queued|scoring|scored) from a notebook", said[-1])


def test_the_list_of_methods_is_as_written_down(written_part):
    text = "\n".join(methods()).strip() + "\n"
    assert written_part("client.md", text) == text


def methods():
    """Every public method by the noun that has it, with its first line."""
    for noun in Client.__mro__[1:-1]:
        own = [name for name, one in vars(noun).items() if inspect.isfunction(one)]
        public = [name for name in own if not name.startswith("_")]
        if public:
            yield from ("", f"### {noun.__name__}", "", "| method | |", "|---|---|")
        for name in public:
            says = inspect.getdoc(getattr(noun, name)).splitlines()[0]
            yield f"| `{signature(getattr(noun, name))}` | {says} |"


def signature(method):
    """As it is written, without `self` and what is only in the way of a reader."""
    (written,) = ast.parse(textwrap.dedent(inspect.getsource(method))).body
    asked = ast.unparse(written.args).removeprefix("self").removeprefix(", ")
    gives = ast.unparse(written.returns).strip("'")
    text = f"{written.name}({asked}) -> {gives}".replace("answers.", "").replace("'", '"')
    return re.sub(r"=lambda _: None", "=…", text).replace("|", "or")
