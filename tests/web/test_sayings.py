"""What the code says in English is found again and said in German."""

import ast
import re
import time

import pytest
from sqlalchemy import select

from podium import languages, notifications, sayings
from podium.models import User
from podium.web import phrases

GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
PATTERNS = sorted({pattern for pattern, _ in phrases.of_code()})
LOCATED = {source for _, source in phrases.of_code()}


def filled(pattern):
    """A pattern with a value at each of its places, and the values."""
    values = {}
    for number, name in enumerate(languages.PLACE.findall(pattern)):
        values.setdefault(name, f"'Zeta {number}' (3/4)")
    return languages.PLACE.sub(lambda place: values[place[1]], pattern), values


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_sentence_finds_its_own_translation_and_no_other(pattern):
    text, values = filled(pattern)
    german = languages.catalog("de")[pattern]
    expected = languages.PLACE.sub(lambda place: values[place[1]], german)
    assert sayings.in_language(text, "de", is_part=True) == expected


def test_every_source_says_something():
    assert {*phrases.SOURCES, *phrases.TELLERS} - {"web/pages/forms.py"} <= LOCATED


def test_what_is_not_ours_stays_as_it_is():
    for text in ("", "Anybody's own words.", "{team_name}", "Your team is called Owls", "x" * 5000):
        assert sayings.in_language(text, "de") == text
    assert sayings.in_language("You are signed out.", "en") == "You are signed out."


def test_values_that_are_words_of_ours_are_translated_and_others_are_not():
    said = "Submission 7 has ended already (scored). Nothing was changed."
    assert "(bewertet)" in sayings.in_language(said, "de")
    assert "'student'" in sayings.in_language("There is no user 'student'.", "de")


def test_a_value_with_places_of_its_own_is_not_filled_again():
    assert sayings.in_language("Your team is called {called}{x}.", "de") == (
        "Dein Team heißt jetzt {called}{x}."
    )


def test_a_choice_of_words_is_a_pattern_each():
    code = "Closed(f'{n} file is gone.' if n == 1 else f'{n} files are gone.')"
    call = ast.parse(code).body[0].value
    assert phrases.patterns(call.args[0]) == ["{n} file is gone.", "{n} files are gone."]


@pytest.mark.parametrize(
    "hostile",
    [" and" * 240, "a has b in " * 90, " have handed in x together. " * 35, "." * 999, "'" * 999],
)
def test_no_input_makes_the_search_long(hostile):
    sayings.in_language("", "de")
    began = time.process_time()
    sayings.in_language(hostile, "de")
    assert time.process_time() - began < 0.2


def token_of(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


def test_flashes_and_errors_of_forms_are_german(app):
    client = app.test_client()
    page = client.get("/sign-up", headers=GERMAN).text
    form = {"csrf_token": token_of(page), "handle": "hanna", "email": "hanna@example.org"}
    refused = client.post("/sign-up", data={**form, "password": "kurz"}, headers=GERMAN)
    assert "Das Passwort hat 4 Zeichen." in refused.text
    assert "The password" not in refused.text
    good = {**form, "password": "lang genug und mehr"}
    welcome = client.post("/sign-up", data=good, headers=GERMAN, follow_redirects=True)
    assert "Willkommen, hanna." in welcome.text
    token = token_of(welcome.text)
    out = client.post(
        "/sign-out", data={"csrf_token": token}, headers=GERMAN, follow_redirects=True
    )
    assert "Du bist abgemeldet." in out.text


def test_error_pages_are_german_and_the_api_stays_english(app):
    client = app.test_client()
    page = client.get("/nowhere", headers=GERMAN)
    assert "Nicht gefunden" in page.text
    assert "Unter dieser Adresse gibt es nichts." in page.text
    answer = client.get("/api/v1/me", headers=GERMAN).get_json()
    assert answer["error"]["message"].startswith("Sign in first")


def test_a_value_is_escaped_in_a_german_sentence(app):
    client = app.test_client()
    page = client.get("/sign-up", headers=GERMAN).text
    form = {"csrf_token": token_of(page), "handle": "<b>x</b>", "email": "h@example.org"}
    refused = client.post("/sign-up", data={**form, "password": "lang genug"}, headers=GERMAN)
    assert "passt nicht: 2 bis 30 Buchstaben" in refused.text
    assert "<b>x</b>" not in refused.text


def test_notices_are_german_but_not_what_a_host_wrote(app, installation):
    client = app.test_client()
    page = client.get("/sign-up", headers=GERMAN).text
    form = {"csrf_token": token_of(page), "handle": "hanna", "email": "hanna@example.org"}
    client.post("/sign-up", data={**form, "password": "lang genug und mehr"}, headers=GERMAN)
    with installation.database.writing() as session:
        reader = session.scalars(select(User.id).where(User.handle == "hanna")).one()
        for kind, text in (
            (notifications.SCORED, "Submission 7 in Toy: it is scored."),
            (notifications.DEADLINE, "Toy ends for you on 1 Dec 2026, 10:00 UTC."),
            (notifications.ANNOUNCEMENT, "Toy: the first week is over."),
        ):
            notifications.tell(session, kind, [reader], text, "/c/toy/")
    page = client.get("/notifications", headers=GERMAN).text
    assert "Abgabe 7 in Toy: bewertet." in page
    assert "Toy endet für dich am 1 Dec 2026, 10:00 UTC." in page
    assert "Toy: the first week is over." in page
