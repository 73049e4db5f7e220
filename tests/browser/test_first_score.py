"""A student's first score in a real Chromium, on a server with a real score worker."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.visitors import sign_up_and_join
from tests.servers import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def site(app, installation, factory, predictions, config) -> Iterator[str]:
    """A server and a score worker; the toy competition with a baseline and a rival."""
    factory.competition()
    factory.offer("sample_submission.csv", predictions(0).encode())
    for handle, correct in (("rival-01", 12), ("rival-02", 5)):
        factory.submit(factory.member(handle), predictions(correct))
    environment = {
        "PATH": "/usr/bin:/bin",
        "PODIUM_HOME": str(config.home),
        "PODIUM_DATABASE_URL": config.database,
        "PODIUM_REDIS_URL": config.redis,
        "PODIUM_STORAGE_URL": config.storage,
    }
    command = [sys.executable, "-P", "-m", "podium.cli", "worker", "--queue", "score"]
    with serving(app) as address:
        worker = subprocess.Popen(command, env=environment)
        yield address
        worker.terminate()
        worker.wait()


def write(tmp_path: Path, name: str, content: str) -> Path:
    file = tmp_path / name
    file.write_text(content)
    return file


def test_sign_up_join_upload_and_see_the_own_row(page, tmp_path, predictions):
    sign_up_and_join(page, "ada-01")
    page.get_by_role("link", name="Submit", exact=True).click()
    page.get_by_label("File", exact=True).set_input_files(
        write(tmp_path, "bad.csv", predictions(15).replace("\n3,3", "\n3,33"))
    )
    expect(page.get_by_text("bad.csv does not fit.")).to_be_visible()
    expect(page.get_by_role("cell", name="an integer from 0 to 9")).to_be_visible()
    page.get_by_label("File", exact=True).set_input_files(
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
    sign_up_and_join(page, "ada-01")
    page.goto("/c/toy/submit")
    page.get_by_label("File", exact=True).set_input_files(
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
def test_every_page_is_accessible_and_fits_a_small_screen(page, inspect, tmp_path, predictions):
    sign_up_and_join(page, "ada-01")
    page.goto("/c/toy/submit")
    page.get_by_label("File", exact=True).set_input_files(
        write(tmp_path, "bad.csv", "id,label\n0,12\n")
    )
    expect(page.get_by_text("bad.csv does not fit.")).to_be_visible()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_text("Invalid")).to_be_visible(timeout=20_000)
    number = page.get_by_role("row", name="bad.csv").get_by_role("link").first.inner_text()
    paths = [path.replace("/submissions/1", f"/submissions/{number}") for path in PATHS]
    assert inspect(page, paths) == []
