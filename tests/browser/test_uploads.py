"""Large files from the Submit tab, over a line that breaks."""

import io
import random
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select
from tests.breakingproxy import BreakingProxy
from tests.browser.visitors import sign_up_and_join
from tests.servers import serving

from podium.models import Piece, Submission

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
KIB = 1 << 10
SIZE = 1000 * KIB
PIECE = 100 * KIB  # of the page in these tests; see podium.web.uploads


@pytest.fixture
def line(app, factory) -> Iterator[BreakingProxy]:
    factory.competition(spec={"kinds": ["predictions", "code"]})
    with serving(app) as address:
        made = BreakingProxy(address)
        yield made
        made.close()


@pytest.fixture
def page(chromium: Browser, line: BreakingProxy) -> Iterator[Page]:
    """A student at the Submit tab; a broken line is an error in the console, and is allowed."""
    context = chromium.new_context(base_url=line.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    sign_up_and_join(page, "ada-01")
    open_form(page)
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def large(tmp_path, predictions):
    """Predictions of a MiB that fit: most of it is blanks after the commas."""
    path = tmp_path / "large.csv"
    path.write_text(predictions(20).replace(",", "," + " " * (SIZE // 20)))
    return path


def open_form(page: Page) -> None:
    page.goto("/c/toy/submit")
    page.evaluate(f"document.getElementById('file').dataset.pieces = {PIECE}")


def arrived(installation) -> int:
    with installation.database.reading() as session:
        return session.scalar(select(func.coalesce(func.sum(Piece.size_bytes), 0)))


def only_submission(installation) -> Submission:
    with installation.database.reading() as session:
        return session.scalars(select(Submission)).one()


def test_a_break_in_the_middle_mends_itself(page, line, large, installation):
    page.get_by_label("File", exact=True).set_input_files(large)
    expect(page.get_by_text("large.csv fits.")).to_be_visible(timeout=30_000)
    page.get_by_label("What is new in it").fill("a MiB")
    line.cut_after(600 * KIB)
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(f"{line.url}/c/toy/submissions", timeout=60_000)
    assert line.breaks == 1
    made = only_submission(installation)
    assert (made.message, made.file_name) == ("a MiB", "large.csv")
    assert made.size_bytes == large.stat().st_size
    assert arrived(installation) == made.size_bytes


def test_a_page_that_was_left_goes_on_with_the_same_file(page, line, large, installation):
    choose = page.get_by_label("File", exact=True)
    choose.set_input_files(large)
    expect(page.get_by_text("large.csv fits.")).to_be_visible(timeout=30_000)
    line.cut_after(600 * KIB, stays_broken=True)
    page.get_by_role("button", name="Submit").click()
    page.wait_for_timeout(1000)
    line.mend()
    open_form(page)
    before = arrived(installation)
    assert before > 500 * KIB

    choose.set_input_files(large)
    expect(page.get_by_text("large.csv fits.")).to_be_visible(timeout=30_000)
    line.cut_after(SIZE - before + 100 * KIB, stays_broken=True)  # not enough for all of it again
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(f"{line.url}/c/toy/submissions", timeout=60_000)
    assert only_submission(installation).size_bytes == large.stat().st_size


def test_a_program_that_is_checked_and_handed_in_is_sent_once(page, line, installation):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("predict.py", "print('hello')\n")
        archive.writestr("weights.bin", random.Random(2).randbytes(SIZE))
    page.get_by_text("Code: a zip, run here").click()
    file = {"name": "net.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}
    line.cut_after(SIZE + 100 * KIB, stays_broken=True)  # not enough for twice
    page.get_by_label("File", exact=True).set_input_files(file)
    expect(page.get_by_text("net.zip fits.")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Submit").dblclick()
    expect(page).to_have_url(f"{line.url}/c/toy/submissions", timeout=60_000)
    assert only_submission(installation).kind == "code"


def test_what_gives_up_says_so_and_goes_on_when_asked(page, line, large, installation):
    page.clock.install()
    open_form(page)
    page.get_by_label("File", exact=True).set_input_files(large)
    expect(page.get_by_text("large.csv fits.")).to_be_visible(timeout=30_000)
    line.cut_after(600 * KIB, stays_broken=True)
    page.get_by_role("button", name="Submit").click()
    told = page.get_by_text("submit once more, and it goes on")
    for _ in range(60):
        page.clock.fast_forward(5_000)  # it pauses longer after each try
        page.wait_for_timeout(100)
        if told.is_visible():
            break
    expect(told).to_be_visible()
    line.mend()
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(f"{line.url}/c/toy/submissions", timeout=60_000)
    assert arrived(installation) == large.stat().st_size
