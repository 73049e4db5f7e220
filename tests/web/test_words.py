"""The languages of the pages: every text can be translated, German is complete, and is shown."""

import re

import pytest
from babel.messages.pofile import read_po

from podium.languages import CATALOGS as FOLDER
from podium.languages import LANGUAGES
from podium.web import wordlist, words

PLACES = re.compile(r"\{\w+\}")
TAGS = re.compile(r"<[^>]+>")
CATALOGS = sorted(FOLDER.glob("*.po"))
GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}


def test_there_is_a_catalog_for_each_language_but_that_of_the_templates():
    assert [file.stem for file in CATALOGS] == sorted(set(LANGUAGES) - {"en"})


@pytest.mark.parametrize("file", CATALOGS, ids=lambda file: file.stem)
def test_a_catalog_is_complete_and_has_the_same_places(file):
    with file.open("rb") as source:
        catalog = read_po(source)
    said = {one.id: one for one in catalog if one.id}
    wanted = {one.id for one in wordlist.of_templates() if one.id}
    assert wanted - set(said) == set(), "make words, then translate what is empty"
    assert set(said) - wanted == set(), "make words"
    assert [one.id for one in said.values() if not one.string or one.fuzzy] == []
    assert not catalog.obsolete
    for one in said.values():
        assert sorted(PLACES.findall(one.id)) == sorted(PLACES.findall(one.string)), one.id
        assert sorted(TAGS.findall(one.id)) == sorted(TAGS.findall(one.string)), one.id


def test_no_template_keeps_a_text_that_is_not_looked_up():
    """What stands between the tags of a wrapped template is code, or no word."""
    bare = []
    for file in wordlist.TEMPLATES.rglob("*.html"):
        text = words.wrapped(file.read_text(encoding="utf-8"))
        for name in words.UNTOUCHED:
            text = re.sub(rf"(?s)<{name}\b.*?</{name}>", "", text)
        text = re.sub(r"(?s)\{\{.*?\}\}(?!\})|\{%.*?%\}|\{#.*?#\}", "", text)
        text = re.sub(r"(?s)<code>[^<]*</code>|<[^>]*>|&\w+;|Podium|htmx", "", text)
        bare += [(file.name, word) for word in re.findall(r"[^\W\d_]{2,}[^\n]*", text)]
    assert bare == []


def test_the_browser_chooses_and_the_switch_overrules(app):
    client = app.test_client()
    english, german = client.get("/").text, client.get("/", headers=GERMAN).text
    assert '<html lang="en"' in english
    assert "Sign in" in english
    assert '<html lang="de"' in german
    assert "Anmelden" in german
    token = re.search(r'name="csrf_token" value="([^"]+)"', english)[1]
    answer = client.post("/language", data={"csrf_token": token, "language": "de", "next": "/"})
    assert answer.status_code == 303
    assert '<html lang="de"' in client.get("/").text
    client.post("/language", data={"csrf_token": token, "language": "xx", "next": "/"})
    assert '<html lang="de"' in client.get("/").text


def test_values_are_escaped_in_every_language(app):
    for language in LANGUAGES:
        headers = {"Accept-Language": language, "Cookie": f"{words.COOKIE}={language}"}
        with app.test_request_context("/", headers=headers):
            said = words.translated("Sign in with {provider_name}", provider_name="<b>x</b>")
            assert "&lt;b&gt;x&lt;/b&gt;" in said


def test_times_and_verdicts_are_said_in_german(app, factory, installation):
    from podium.web.pages import display

    with app.test_request_context("/", headers=GERMAN):
        assert display.duration(7200) == "2 h"
        assert display.ordinal(2) == "2."
    assert "Ungültig" in app.test_client().get("/help/verdicts", headers=GERMAN).text
