"""The Starter tab: what students begin with is read on the page, and nothing of it runs."""

import json

import pytest

from podium.web.pages import starter

SCRIPT = '"""Guess.\n\nRun it."""\n\nimport sys\n\nprint("<script>alert(1)</script>", 12)\n'


@pytest.fixture
def read(app, factory):
    """The tab of a competition with a script and its notebook."""
    factory.competition()
    cells = [
        {"cell_type": "markdown", "source": ["# Guess <script>alert(2)</script>"]},
        {"cell_type": "code", "source": SCRIPT.splitlines(keepends=True)},
    ]
    factory.offer("guess.py", SCRIPT.encode())
    factory.offer("guess.ipynb", json.dumps({"cells": cells}).encode())
    factory.offer("train.csv", b"id,label\n1,2\n")
    return lambda: app.test_client().get("/c/toy/starter").text


def test_it_shows_commands_the_notebook_and_then_the_script(read):
    page = read()
    assert "podium download toy" in page
    assert "podium submit toy -f submission.csv --dry-run" in page
    assert page.index("guess.ipynb") < page.index("guess.py</h2>")
    assert 'href="/c/toy/files/guess.ipynb"' in page
    assert "train.csv" not in page


def test_code_is_coloured_by_classes_and_nothing_of_it_runs(read):
    page = read()
    assert '<span class="py-kn">import</span>' in page
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") == 2  # in the notebook and in the script
    assert "style=" not in page


def test_a_file_that_is_too_long_is_not_shown(read, factory):
    factory.offer("long.py", b"#" * (starter.LONGEST + 1))
    assert "long.py</h2>" not in read()


def test_without_any_it_says_where_the_form_is(app, factory):
    factory.competition()
    page = app.test_client().get("/c/toy/starter").text
    assert "The host has put no script beside the data." in page
