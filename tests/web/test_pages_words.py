"""What hosts write, as pages show it: announcements, the text of a competition, previews."""

import pytest

from podium import announcements, competitions, editing
from podium.errors import BadRequestError


@pytest.fixture
def host(factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id)
    return caller


def act(installation, does, *words, **said):
    with installation.database.writing() as session:
        does(session, *words, **said)


def logged(installation):
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        return [entry for entry, _ in competitions.audited(session, toy, 9)]


def test_everybody_reads_them_on_the_overview_and_no_script_runs(app, api, installation, host):
    bad = "**Now** <script>alert(1)</script> [x](javascript:alert(1))"
    act(installation, announcements.post, host, "toy", "Deadline", bad)
    act(installation, announcements.post, host, "toy", "Old news", is_pinned=False)
    page = app.test_client().get("/c/toy/").text
    assert "<h2>Deadline</h2><p><strong>Now</strong>" in page
    assert "Earlier announcements (1)" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    listed = api.get("/competitions/toy/announcements").get_json()["items"]
    assert [one["title"] for one in listed] == ["Deadline", "Old news"]


def test_a_host_writes_the_text_of_one_competition_and_goes_back(installation, host, app, api):
    act(installation, editing.set_text, host, "toy", "# Title\r\n\r\nOur own *words*.")
    assert "<p>Our own <em>words</em>.</p>" in app.test_client().get("/c/toy/").text
    with installation.database.reading() as session:
        toy = competitions.find(session, "toy")
        assert toy.challenge.text == "# Toy\n"
        assert competitions.text(session, toy) == "# Title\n\nOur own *words*.\n"
    assert logged(installation)[0].action == "competition.text"
    act(installation, editing.set_text, host, "toy", None)
    assert "Our own" not in app.test_client().get("/c/toy/").text
    with pytest.raises(BadRequestError, match="1 to 200,000"):
        act(installation, editing.set_text, host, "toy", "  ")


def test_a_preview_is_what_the_page_will_show(app, api, host, factory):
    client = app.test_client(use_cookies=False)
    headers = api.as_(host).headers
    sent = {"text": "A **word** <b>raw</b>"}
    part = client.post(
        "/teach/preview?of=text", data=sent, headers=headers | {"HX-Request": "true"}
    ).text
    assert part.strip() == "<p>A <strong>word</strong> &lt;b&gt;raw&lt;/b&gt;</p>"
    page = client.post("/teach/preview?of=text", data=sent, headers=headers).text
    assert "<h1>Preview</h1>" in page
    assert part.strip() in page
    assert client.post("/teach/preview?of=text", data=sent).status_code in (400, 401)
