"""Code that fails in the sandbox, seen through: what its team reads is all that it needs."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import PICTURES
from tests.browser.visitors import sign_up_and_join
from tests.servers import hired, scoring, serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
RUNS = {
    "kinds": ["predictions", "code"],
    "run": {"inputs": ["test.npz"], "limits": {"wall_s": 8}},
}
READS = """\
import numpy

images = numpy.load("/data/test.npz")["image"]
print("images", images.shape)
"""
# What a student does wrong first, and what its page must say of it, in English and in German.
FAULTS = {
    "a typo": (
        READS + "label = images.argmx(axis=1)\n",
        ("'numpy.ndarray' object has no attribute 'argmx'", "line 5", "images (1, 64)"),
        "It ended with status 1. Its log says where. This was seen on the first 1 % of the rows.",
        "Das Programm endete mit Status 1. Wo, steht in seiner Ausgabe. Das zeigte sich an den "
        "ersten 1 % der Zeilen.",
    ),
    "no end": (
        READS + "while True: pass\n",
        ("images (1, 64)",),
        "It ran longer than the time limit of 8 s. This was seen on the first 1 % of the rows.",
        "Das Programm lief länger als die erlaubten 8 s. Das zeigte sich an den ersten 1 % der "
        "Zeilen.",
    ),
    "nothing written": (
        READS,
        ("images (1, 64)",),
        "It ended without a file /out/predictions.csv. In /out was nothing. This was seen on the "
        "first 1 % of the rows.",
        "Das Programm endete ohne die Datei /out/predictions.csv. In /out war nichts. Das zeigte "
        "sich an den ersten 1 % der Zeilen.",
    ),
}


@pytest.fixture
def site(app, installation, factory, tmp_path) -> Iterator[str]:
    """A competition that takes code, with a run worker of its own host and a score worker."""
    factory.competition(spec=RUNS)
    with io.BytesIO() as packed:
        np.savez(packed, ids=np.arange(20), image=np.zeros((20, 64), np.uint8))
        factory.offer("test.npz", packed.getvalue())
    factory.person("admin-01", "admin")
    with (
        serving(app) as address,
        hired(installation, address, tmp_path / "host") as start,
        scoring(installation),
    ):
        start()
        yield address


def hand_in(page: Page, folder: Path, code: str) -> None:
    bundle = folder / "bundle.zip"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("predict.py", code)
    page.goto("/c/toy/submit")
    page.get_by_label("Code: a zip, run here").check()
    page.locator("#file").set_input_files(bundle)
    page.get_by_role("button", name="Submit", exact=True).click()
    page.wait_for_url("**/submissions**")


def test_code_that_fails_in_the_sandbox_is_understood_from_its_page_alone(page, tmp_path, inspect):
    sign_up_and_join(page, "ada-01")
    for name, (code, printed, reason, german) in FAULTS.items():
        hand_in(page, tmp_path, code)
        page.get_by_role("row").nth(1).get_by_role("link").first.click()
        expect(page.get_by_text(reason)).to_be_visible(timeout=60_000)
        for text in printed:
            expect(page.locator("pre.log").first).to_contain_text(text)
        page.get_by_role("button", name="Deutsch").click()
        expect(page.get_by_text(german)).to_be_visible()
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"failed-{name.replace(' ', '-')}.png", full_page=True)
        page.get_by_role("button", name="English").click()
        expect(page.get_by_text(reason)).to_be_visible()
    assert inspect(page, [urlsplit(page.url).path]) == []
