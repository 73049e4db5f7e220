"""The check in the page says of good and of corrupted files what the server's check says."""

import base64
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.visitors import sign_up_and_join
from tests.servers import serving

from podium import checking, sayings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

HEAD = b"id,label\n"
ROWS = [f"{i},{i % 10}" for i in range(20)]


def table(rows: list[str], head: bytes = HEAD, end: str = "\n") -> bytes:
    return head + (end.join(rows) + end).encode()


def changed(place: int, text: str) -> bytes:
    return table([*ROWS[:place], text, *ROWS[place + 1 :]])


DIGITS = {
    "as asked": table(ROWS),
    "another order": table(ROWS[::-1]),
    "columns in another order": table([f"{i % 10},{i}" for i in range(20)], b"label,id\n"),
    "a BOM, returns, empty lines": b"\xef\xbb\xbfid,label\r\n\r\n" + table(ROWS, b"", "\r\n\r\n"),
    "returns alone": table(ROWS, b"id,label\r", "\r"),
    "no last newline": table(ROWS).rstrip(),
    "quotes": table([f'"{i}","{i % 10}"' for i in range(20)], b'"id","label"\n'),
    "spaces and signs": changed(3, " +3 , 3"),
    "nothing": b"",
    "blanks": b" \n\t\n",
    "a header alone": HEAD,
    "no header": table(ROWS, b""),
    "semicolons": table([one.replace(",", ";") for one in ROWS], b"id;label\n"),
    "tabs": table([one.replace(",", "\t") for one in ROWS], b"id\tlabel\n"),
    "an index": table([f"{i},{one}" for i, one in enumerate(ROWS)], b",id,label\n"),
    "a column twice": table([f"{one},1" for one in ROWS], b"id,label,label\n"),
    "a column besides": table([f"{one},1" for one in ROWS], b"id,label,it's\n"),
    "a column lacking": table([str(i) for i in range(20)], b"id\n"),
    "a long first line": b"x" * 70_000,
    "ragged": table([*ROWS[:5], "5", "6,6,6", *ROWS[7:]]),
    "ragged with empty lines": table(["", *ROWS[:5], "", "5", *ROWS[6:]]),
    "ragged everywhere": table([f"{i}" for i in range(90)]),
    "out of range": changed(4, "4,12"),
    "below": changed(4, "4,-1"),
    "a fraction": changed(4, "4,4.0"),
    "no value": changed(4, "4,"),
    "a word": changed(4, "4,seven"),
    "a long word": changed(4, "4," + "ä" * 60),
    "marks": changed(4, "4,it's \\ \x07 \u00a0 \u200b \U0001f600"),
    "too many digits": changed(4, "4,1234567890123456789"),
    "nearly too many digits": changed(4, "123456789012345678,4"),
    "underscores": changed(4, "4,1_0"),
    "other digits": changed(4, "4,٣"),
    "an unknown id": changed(4, "99,4"),
    "an id twice": changed(4, "3,3"),
    "an id that is none": changed(4, "x,3"),
    "ids missing": table(ROWS[:4]),
    "everything": table(["1,1", "1,44", "77,a", "3,-2", "3,3"]),
    "all out of range": table([f"{i},{10 + i}" for i in range(20)]),
    "sixty unknown": table([*ROWS, *(f"{i},1" for i in range(100, 160))]),
    "far too many lines": table([f"{i},1" for i in range(2000)]),
    "a zero byte": changed(4, "4,\0"),
    "UTF-16": table(ROWS).decode().encode("utf-16"),
    "Latin-1": changed(4, "4,x").replace(b"x", b"\xe4"),
    "a cut letter": table(ROWS) + b"20,\xe2\x82",
    "a surrogate": table(ROWS) + b"20,\xed\xa0\x80",
    "a zip": b"PK\x03\x04" + b"\0" * 50,
    "gzip": b"\x1f\x8b" + b"\0" * 50,
    "an open quote": changed(4, '4,"4'),
    "an open quote at the end": table(ROWS[:-1]) + b'19,"9',
    "letters after a quote": changed(4, '4,"4"x'),
    "a quote within": changed(4, '4,4"4'),
    "quotes doubled": changed(4, '4,"4""4"'),
    "a break in quotes": table(['"0\n",0', "1,x", *ROWS[2:]]),
    "ragged with quotes": table(['"0",0', "1", "2,2,2", *ROWS[3:]]),
    "returns and quotes": table(['"0",0', *ROWS[1:]], b"id,label\n", "\r").replace(b",19", b",x"),
    "quotes in the header alone": table(ROWS, b'"id",label\n'),
    "a bad header quote": table(ROWS, b'"id"x,label\n'),
}

CLASSES = {
    "id": {"name": "key", "type": "string"},
    "columns": [{"name": name, "type": "number"} for name in ("a", "b", "c")],
    "probabilities": ["a", "b", "c"],
}
QUOTED = ["k1", "ü 2", "'3'", '"4"""', '"5,5"']


def shares(*values: str) -> bytes:
    pairs = zip(QUOTED, values, strict=True)
    return ("key,a,b,c\n" + "".join(f"{key},{value}\n" for key, value in pairs)).encode()


SHARES = {
    "as asked": shares(*["0.2,0.3,0.5"] * 5),
    "forms of numbers": shares("1e-1,.4,0.5", " 0,1.,0", "+0.5,5E-1,0", "1,0,0", "0,0,1"),
    "sums": shares("0.2,0.3,0.6", "0.5,0.5,0.00125", "1e-9,0,0", "123456789,0,0", "-0.1,1.1,0"),
    "not finite": shares("nan,0,1", "inf,0,1", "1e999,0,0", "-Infinity,0,1", "0x1,0,1"),
    "an unknown key": shares(*["0,0,1"] * 5).replace(b"k1", b"k\\9"),
    "a key twice": shares(*["0,0,1"] * 5).replace(b"k1", b"'3'"),
    "an empty key": shares(*["0,0,1"] * 5).replace(b"k1", b""),
}

LISTS = {
    "id": {"name": "user", "type": "integer"},
    "columns": [{"name": "item", "type": "integer", "low": 1, "high": 50}],
    "repeated": True,
    "distinct": True,
}
FILMS = {
    "as asked": b"user,item\n1,1\n1,2\n2,1\n-3,9\n",
    "an item again": b"user,item\n1,1\n1,1\n2,1\n2,1\n-3,9\n",
    "unknown and missing": b"user,item\n1,1\n07,1\n2,51\n",
    "unknown": b"user,item\n1,1\n+7,1\n2,1\n7,1\n-3,1\n",
}

MIXED = {
    "id": {"name": "n", "type": "integer"},
    "columns": [
        {"name": "word", "type": "string", "allowed": ["yes", "no"]},
        {"name": "runs", "type": "runs", "shape": [4, 5], "optional": True},
        {"name": "list", "type": "items", "high": 3},
        {"name": "size", "type": "number", "low": 0.5},
        {"name": "step", "type": "integer", "allowed": ["-1", "1"]},
    ],
}
MASKS = {
    "as asked": b"n,word,runs,list,size,step\n5,yes,1 2 5 1,a b,1,1\n6,no,,c,0.5,-1\n",
    "all wrong": b"n,word,runs,list,size,step\n5,Yes,1 2 2 1,a a,0.4,0\n6,,1,a b c d,,2\n",
    "past the mask": b"n,word,runs,list,size,step\n5,yes,20 1,a,1,1\n6,no,20 2,,1,1\n",
    "no runs": b"n,word,runs,list,size,step\n5,yes,0 1,a,1,1\n6,no,a b,b,1e400,1\n",
}
PAIRS = {
    "id": {"name": "id", "type": "integer"},
    "columns": [{"name": "x", "type": "integer"}, {"name": "y", "type": "number"}],
    "distinct": True,
}
TWOS = {"as asked": b"id,x,y\n1,1,2\n2,3,4\n", "twice": b"id,x,y\n1,2,2.0\n2,4,4e0\n"}
CHANCE = {
    "id": {"name": "id", "type": "integer"},
    "columns": [{"name": "p", "type": "number"}],
    "probabilities": ["p"],
}
ONES = {"as asked": b"id,p\n1,0.5\n2,1\n", "outside": b"id,p\n1,-0.00001234567\n2,1.0000001\n"}

CORPUS: dict[str, tuple[dict[str, Any], dict[str, bytes], bytes]] = {
    "shares": (CLASSES, SHARES, SHARES["as asked"]),
    "films": (LISTS, FILMS, FILMS["as asked"]),
    "masks": (MIXED, MASKS, MASKS["as asked"]),
    "twos": (PAIRS, TWOS, TWOS["as asked"]),
    "ones": (CHANCE, ONES, ONES["as asked"]),
}

METRICS: dict[str, dict[str, Any]] = {
    "shares": {"name": "log_loss"},
    "masks": {"name": "accuracy", "columns": ["step"], "answers": ["step"]},
    "twos": {"name": "accuracy", "columns": ["x"], "answers": ["x"]},
}

IN_PAGE = """async ({rules, worker, content}) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const answer = await fetch(rules);
  if (!answer.ok) throw new Error(await answer.text());
  const known = await answer.json();
  return new Promise((resolve, reject) => {
    const one = new Worker(worker);
    one.onmessage = ({data}) => {
      if (data.checked) resolve(data.checked);
      if (data.fault) reject(new Error(data.fault));
    };
    one.onerror = (event) => reject(event.message);
    one.postMessage({file: new File([bytes], "some.csv"), rules: known});
  });
}"""


@pytest.fixture
def site(app, factory) -> Iterator[str]:
    factory.competition()
    with serving(app) as address:
        yield address


def said(page: Page, slug: str, content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        IN_PAGE,
        {
            "rules": f"/api/v1/competitions/{slug}/file-rules",
            "worker": "/static/filecheck.js",
            "content": base64.b64encode(content).decode(),
        },
    )
    found.pop("sha256")
    return found


def difference(page: Page, installation: Any, slug: str, files: dict[str, bytes]) -> list[str]:
    """The files of which page and server do not say the same."""
    different = []
    for name, content in files.items():
        here = said(page, slug, content)
        there = checking.check(installation, slug, io.BytesIO(content))
        wanted = (there.ok, there.rows, there.errors, there.more)
        got = (here["ok"], here["rows"], here["errors"], here["more"])
        if got != wanted or (not there.ok and here["message"] != there.message):
            different.append(f"{name}: {here} in the page, {there} on the server")
    return different


def test_the_page_and_the_server_say_the_same_of_a_table_of_labels(page, installation):
    sign_up_and_join(page, "ada-01")
    assert difference(page, installation, "toy", DIGITS) == []


@pytest.mark.parametrize("slug", list(CORPUS))
def test_the_page_and_the_server_say_the_same_of_other_forms(page, installation, factory, slug):
    form, files, sample = CORPUS[slug]
    read = METRICS.get(slug, {"name": "accuracy"})
    answers = {"columns": [{"name": "label", "type": "integer"}]} if slug == "shares" else {}
    tables = {"submission": {"format": "csv", **form}, "metric": read}
    factory.competition(slug, (tables | ({"answers": answers} if answers else {}), b"", sample))
    sign_up_and_join(page, "ada-01")
    assert said(page, slug, sample)["ok"]
    assert difference(page, installation, slug, files) == []


def test_what_is_wrong_is_said_in_german_by_page_and_server_alike(page, installation):
    sign_up_and_join(page, "ada-01")
    page.goto("/c/toy/submit")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_label("Datei", exact=True)).to_be_visible()
    page.wait_for_load_state()
    page.evaluate("speech.ready()")
    for name, content in DIGITS.items():
        found = checking.check(installation, "toy", io.BytesIO(content))
        texts = [one[key] for one in found.errors for key in ("expected", "got")]
        texts += [found.message] if found.message else []
        there = [sayings.in_language(text, "de", is_part=True) for text in texts]
        assert page.evaluate("(texts) => texts.map(speech.told)", texts) == there
        bare = " ".join(re.sub(r"(?s)'.*'|\".*\"|to_csv\(.*?\)", "", text) for text in there)
        assert not re.search(r"\b(the|is|there|expected|got|at|of|more)\b", bare), (name, there)


def test_a_german_page_tells_a_fault_in_german(page, tmp_path):
    sign_up_and_join(page, "ada-01")
    page.goto("/c/toy/submit")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_label("Datei", exact=True)).to_be_visible()
    page.wait_for_load_state()
    (tmp_path / "bad.csv").write_bytes(DIGITS["everything"])
    page.locator("#file").set_input_files(tmp_path / "bad.csv")
    expect(page.get_by_text("bad.csv passt nicht.")).to_be_visible()
    expect(page.get_by_role("cell", name="eine ganze Zahl von 0 bis 9").first).to_be_visible()
    expect(page.get_by_text("Zeile 3, Spalte 'label': Erwartet ist")).to_be_visible()


def test_a_file_is_judged_before_anything_is_sent(page, tmp_path, installation):
    sign_up_and_join(page, "ada-01")
    page.goto("/c/toy/submit")
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    for name, content in (("bad.csv", DIGITS["everything"]), ("good.csv", DIGITS["as asked"])):
        (tmp_path / name).write_bytes(content)
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "bad.csv")
    expect(page.get_by_text("bad.csv does not fit.")).to_be_visible()
    expect(page.get_by_role("cell", name="an integer from 0 to 9").first).to_be_visible()
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "good.csv")
    expect(page.get_by_text("good.csv fits.")).to_be_visible()
    assert sent == []


def test_an_identical_earlier_file_is_told_before_it_is_sent(page, tmp_path, predictions):
    sign_up_and_join(page, "ada-01")
    (tmp_path / "one.csv").write_text(predictions(15))
    page.goto("/c/toy/submit")
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "one.csv")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/submissions**")
    page.goto("/c/toy/submit")
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "one.csv")
    expect(page.get_by_text("The same file was handed in before")).to_be_visible()


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(page, tmp_path):
    sign_up_and_join(page, "ada-01")
    page.goto("/c/toy/submit")
    page.locator("#file").evaluate("(input) => { input.dataset.most = 10; }")
    (tmp_path / "large.csv").write_bytes(DIGITS["as asked"])
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "large.csv")
    expect(page.get_by_text("at most 10 are taken")).to_be_visible()


def test_what_does_not_begin_as_its_format_is_refused_before_it_is_sent(page, tmp_path, factory):
    form = {"format": "parquet", "id": {"name": "id", "type": "integer"}}
    form |= {"columns": [{"name": "label", "type": "integer"}]}
    factory.competition("columns", ({"submission": form}, b"", b""))
    sign_up_and_join(page, "ada-01")
    page.goto("/c/columns/")
    page.get_by_role("button", name="Join").click()
    page.goto("/c/columns/submit")
    (tmp_path / "some.parquet").write_bytes(DIGITS["as asked"])
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "some.parquet")
    expect(page.get_by_text("does not begin as what is asked for: Parquet.")).to_be_visible()
