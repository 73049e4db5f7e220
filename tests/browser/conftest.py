"""Fixtures: a real Chromium, and the inspection that every page passes."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 1280), ("dark", 320))
PICTURES = Path(__file__).parent.parent / "screenshots"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


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


@pytest.fixture
def inspect() -> Callable[[Page, Sequence[str]], list[str]]:
    """Looks at pages, light and wide, dark and small; gives what axe and the ruler find."""

    def inspect(page: Page, paths: Sequence[str]) -> list[str]:
        PICTURES.mkdir(exist_ok=True)
        faults = []
        for path in paths:
            for scheme, width in LOOKS:
                page.emulate_media(color_scheme=scheme)
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
        return faults

    return inspect
