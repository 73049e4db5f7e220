"""A student's first score in a real Chromium, on a server with a real score worker."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from werkzeug.serving import make_server

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PICTURES = Path(__file__).parent.parent / "screenshots"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def site(app, installation, factory, predictions, config) -> Iterator[str]:
    """A server and a score worker; the toy competition with a baseline and a rival."""
    factory.competition()
    factory.offer("sample_submission.csv", predictions(0).encode())
    for handle, correct in (("rival-01", 12), ("rival-02", 5)):
        factory.submit(factory.member(handle), predictions(correct))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "PATH": "/usr/bin:/bin",
        "PODIUM_HOME": str(config.home),
        "PODIUM_DATABASE_URL": config.database,
        "PODIUM_REDIS_URL": config.redis,
        "PODIUM_STORAGE_URL": config.storage,
    }
    command = [sys.executable, "-P", "-m", "podium.cli", "worker", "--queue", "score"]
    worker = subprocess.Popen(command, env=environment)
    yield f"http://127.0.0.1:{server.server_port}"
    worker.terminate()
    worker.wait()
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(chromium: Browser, site: str) -> Iterator[Page]:
    """A page that fails the test for any error a script or the CSP reports."""
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert complaints == []


def sign_up_and_join(page: Page) -> None:
    page.goto("/c/toy/")
    page.get_by_role("link", name="Sign up to take part").click()
    page.get_by_label("Handle").fill("ada-01")
    page.get_by_label("E-mail address").fill("ada@example.org")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("main").get_by_role("button", name="Sign up").click()
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are in Toy digits")).to_be_visible()


def write(tmp_path: Path, name: str, content: str) -> Path:
    file = tmp_path / name
    file.write_text(content)
    return file


def test_sign_up_join_upload_and_see_the_own_row(page, tmp_path, predictions):
    sign_up_and_join(page)
    page.get_by_role("link", name="Submit", exact=True).click()
    page.get_by_label("Predictions file").set_input_files(
        write(tmp_path, "bad.csv", predictions(15).replace("\n3,3", "\n3,33"))
    )
    expect(page.get_by_text("bad.csv does not fit.")).to_be_visible()
    expect(page.get_by_role("cell", name="an integer from 0 to 9")).to_be_visible()
    page.get_by_label("Predictions file").set_input_files(
        write(tmp_path, "good.csv", predictions(15))
    )
    expect(page.get_by_text("good.csv fits.")).to_be_visible()
    page.get_by_label("What is new in it").fill("my first")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("row", name="my first").get_by_text("Scored")).to_be_visible(
        timeout=20_000
    )
    page.get_by_role("link", name="Leaderboard").click()
    mine = page.get_by_role("row", name="ada-01")
    expect(mine).to_contain_text("You")
    expect(mine.get_by_role("cell").first).to_have_text("1")


def test_the_board_follows_without_a_reload(page, tmp_path, predictions, factory):
    page.goto("/c/toy/leaderboard")
    expect(page.get_by_role("row", name="rival-01")).to_be_visible(timeout=20_000)
    factory.submit(factory.member("late-01"), predictions(20))
    expect(page.get_by_role("row", name="late-01")).to_be_visible(timeout=20_000)


def test_a_double_click_and_the_back_button_make_no_second_submission(page, tmp_path, predictions):
    sign_up_and_join(page)
    page.goto("/c/toy/submit")
    page.get_by_label("Predictions file").set_input_files(
        write(tmp_path, "good.csv", predictions(15))
    )
    page.get_by_role("button", name="Submit", exact=True).dblclick()
    page.wait_for_url("**/submissions**")
    expect(page.get_by_role("row", name="good.csv")).to_have_count(1)
    page.go_back()
    page.goto("/c/toy/submissions")
    expect(page.get_by_role("row", name="good.csv")).to_have_count(1)


PATHS = ["/", "/sign-in", "/sign-up", "/account", "/submissions", "/submissions/1"]
PATHS += ["/help/verdicts", *(f"/c/toy/{tab}" for tab in ("", "data", "submit", "leaderboard"))]
PATHS += ["/c/toy/submissions", "/c/toy/rules"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_page_is_accessible_and_fits_a_small_screen(page, tmp_path, predictions):
    sign_up_and_join(page)
    page.goto("/c/toy/submit")
    page.get_by_label("Predictions file").set_input_files(
        write(tmp_path, "bad.csv", "id,label\n0,12\n")
    )
    expect(page.get_by_text("bad.csv does not fit.")).to_be_visible()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_text("Invalid")).to_be_visible(timeout=20_000)
    number = page.get_by_role("row", name="bad.csv").get_by_role("link").first.inner_text()
    PICTURES.mkdir(exist_ok=True)
    faults = []
    for path in PATHS:
        path = path.replace("/submissions/1", f"/submissions/{number}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in (1280, 320):
                page.set_viewport_size({"width": width, "height": 800})
                page.goto(path)
                name = path.strip("/").replace("/", "-") or "list"
                page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                if wide > 0:
                    faults.append(f"{path} at {width}: {wide} px too wide")
                page.evaluate(AXE.read_text())
                found = page.evaluate("axe.run()")["violations"]
                faults += [
                    f"{path} {scheme} {width}: {fault['id']}: {fault['nodes'][0]['html'][:120]}"
                    for fault in found
                ]
    assert faults == []
