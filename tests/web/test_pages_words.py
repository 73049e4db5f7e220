"""What hosts write, as pages show it: announcements, the text of a competition, previews."""

import io

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


def test_three_files_are_previewed_and_faults_shown_with_places(app, api, host):
    client = app.test_client(use_cookies=False)
    headers = api.as_(host).headers | {"HX-Request": "true"}
    files = {
        "train": "id,x,y\n" + "".join(f"t{n},{n},{n % 2}\n" for n in range(40)),
        "test": "id,x\n" + "".join(f"q{n},{n}\n" for n in range(20)),
        "answers": "id,y\n" + "".join(f"q{n},{n % 2}\n" for n in range(20)),
    }

    def sent(**changed):
        parts = files | changed
        fields = {"target": "y", "metric": "accuracy", "slug": "three", "preview": "1"}
        named = {name: (io.BytesIO(text.encode()), f"{name}.csv") for name, text in parts.items()}
        return client.post("/teach/new", data=fields | named, headers=headers).text

    page = sent()
    assert "40 rows for training, 20 to predict: 6 public, 14 private." in page
    assert "<strong>Accuracy 0.8</strong>" in page
    page = sent(answers=files["answers"].replace("q3,1", "q3,"))
    assert "The answers, line 5, column y: expected a value" in page
    assert "Places in the file" in page


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"train": "x"}, "The file &#39;test&#39; is missing"),
        ({"other": "x"}, "There is no file field &#39;other&#39;"),
        ({}, "Name a challenge that comes with Podium"),
    ],
)
def test_what_is_missing_of_a_competition_is_named(app, api, host, sent, said):
    client = app.test_client(use_cookies=False)
    named = {name: (io.BytesIO(b"a,b\n"), f"{name}.csv") for name in sent}
    fields = {"target": "y", "metric": "accuracy", "slug": "three"}
    answer = client.post("/teach/new", data=fields | named, headers=api.as_(host).headers)
    assert answer.status_code == 400
    assert said in answer.text
