"""Replays looked at in a browser: on their page, and as the file that the command line writes."""

import contextlib
import time
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from tests.browser.visitors import sign_in
from tests.servers import serving

from podium import accounts, attempts, competitions, episodes, matches
from podium.cli.episodes import page as page_of
from podium.client import Client
from podium.desk import Played, Side
from podium.models import Submission, User
from podium.referee import Replay

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
FLIGHT = Replay(
    "LunarLander-v3",
    "done",
    {
        "observation": np.linspace([0, 1.4, 0, 0, 0.3, 0, 0, 0], [0.1, 0, 0, 0, 0, 0, 1, 1], 40),
        "action": np.arange(40) % 4,
        "reward": np.full(40, 1.5),
    },
)
GAME = Replay("connect-four", "won by player 1", {"action": np.array([3, 0, 3, 0, 3, 0, 3])})

BROKEN_OFF = Replay("connect-four", "won by player 1", {"action": np.array([3, 0, 3])})


@pytest.fixture
def site(app, installation, factory, lander, duel) -> Iterator[str]:
    """Episode 1 is a flight of ada's, 2 a game of hers against bob, 3 one in which he erred."""
    factory.competition("lander", declared=lander)
    factory.competition("duel", declared=duel)
    ada = factory.member("ada-01", "lander")
    with installation.database.writing() as session:
        session.get_one(User, ada.id).password_hash = accounts.hashed("correct horse")
    flown = factory.submit(ada, b"def act", "lander", kind="agent", file_name="agent.py")
    keep(installation, flown, FLIGHT, Side(flown, 60.0))
    rival = factory.submit(factory.member("bob-01", "duel"), b"x", "duel", kind="agent")
    from_lander = factory.submit(join(factory, ada), b"y", "duel", kind="agent")
    keep(installation, from_lander, GAME, Side(from_lander, 1.0), Side(rival, 0.0))
    fault = "Column 9 is none of the seven."
    keep(installation, rival, BROKEN_OFF, Side(from_lander, 1.0), Side(rival, 0.0, fault))
    with serving(app) as address:
        yield address


def join(factory, caller):
    with factory.installation.database.writing() as session:
        competitions.join(session, competitions.find(session, "duel"), caller)
    return caller


def keep(installation, submission_id: int, replay: Replay, *sides: Side) -> None:
    content = replay.to_bytes()
    key = f"replays/{submission_id}"
    with contextlib.closing(installation.storage.receive(1 << 20)) as incoming:
        incoming.write(content)
        installation.storage.keep(incoming, key)
    steps = len(replay.tracks["action"])
    with installation.database.writing() as session:
        lease = attempts.take(session, submission_id, "run", "r1", 60)
        assert lease is not None
        attempts.note_replays(session, lease, key)
        submission = session.get_one(Submission, submission_id)
        played = Played(1, steps, replay.result, sides, len(content))
        episodes.add(installation, session, lease, submission, [played])
        if len(sides) > 1:
            matches.settle(session, lease, submission, None)


def drawn(page) -> int:
    """How many pixels of the canvas are painted."""
    return page.evaluate(
        "() => { const c = document.querySelector('canvas');"
        "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
        ".filter((_, at) => at % 4 === 3).filter((one) => one).length }"
    )


def test_a_flight_is_played_stepped_and_looked_at_again(page, inspect):
    sign_in(page, "ada-01")
    page.goto("/episodes/1")
    says = page.locator("[data-player]").get_by_role("status")
    expect(says).to_have_text("Step 0 of 39. Return so far 1.5, no engine.")
    assert drawn(page) > 500
    page.get_by_role("button", name="Next").click()
    expect(says).to_have_text("Step 1 of 39. Return so far 3.0, left engine.")
    page.get_by_role("button", name="Play").click()
    expect(says).to_have_text("Step 39 of 39. Return so far 60.0, right engine. done")
    page.get_by_role("button", name="Back").click()
    expect(says).to_contain_text("Step 38 of 39.")
    page.get_by_role("slider").fill("7")
    expect(says).to_contain_text("Step 7 of 39.")
    page.get_by_role("button", name="First").click()
    expect(says).to_contain_text("Step 0 of 39.")
    assert inspect(page, ["/episodes/1", "/episodes/2", "/episodes/3", "/submissions/1"]) == []


def test_a_game_tells_who_played_what_and_what_was_drawn_at_random(page):
    sign_in(page, "ada-01")
    page.goto("/episodes/2")
    says = page.locator("[data-player]").get_by_role("status")
    expect(says).to_have_text("Step 0 of 7. The board is empty.")
    page.get_by_role("slider").fill("2")
    expect(says).to_contain_text("Opening drawn at random: bob-01's disc falls into column 0.")
    page.get_by_role("slider").fill("7")
    expect(says).to_have_text("Step 7 of 7. ada-01 played column 3. ada-01 won.")
    page.get_by_text("All moves").click()
    rows = page.get_by_role("region", name="All moves").locator("tbody tr")
    expect(rows).to_have_count(8)
    expect(rows.nth(1)).to_contain_text("opening, drawn at random")
    expect(rows.nth(7)).to_have_attribute("aria-current", "step")
    page.get_by_role("button", name="Show step 3").click()
    expect(says).to_have_text("Step 3 of 7. ada-01 played column 3.")
    expect(rows.nth(3)).to_have_attribute("aria-current", "step")


def test_a_replay_is_led_by_keys_alone(page):
    sign_in(page, "ada-01")
    page.goto("/episodes/2")
    player = page.get_by_role("group", name="Replay")
    says = player.get_by_role("status")
    player.focus()
    for key, step in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", 7),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        expect(says).to_contain_text(f"Step {step} of 7.")
    page.keyboard.press("+")
    page.keyboard.press("+")
    expect(player.get_by_label("Speed")).to_have_value("4")
    page.keyboard.press("Space")
    expect(player.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(player.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.keyboard.press("Space")
    expect(says).to_contain_text("Step 7 of 7.")


def test_speed_changes_how_long_a_game_takes(page):
    sign_in(page, "ada-01")
    page.goto("/episodes/2")
    player = page.get_by_role("group", name="Replay")
    took = {}
    for factor in ("4", "1"):
        page.reload()
        player.get_by_label("Speed").select_option(factor)
        began = time.monotonic()
        player.get_by_role("button", name="Play").click()
        expect(player.get_by_role("status")).to_contain_text("Step 7 of 7.", timeout=15_000)
        took[factor] = time.monotonic() - began
    assert took["1"] > 2 * took["4"]


def test_an_error_is_shown_at_the_move_at_which_it_happened(page):
    sign_in(page, "ada-01")
    page.goto("/episodes/3")
    says = page.locator("[data-player]").get_by_role("status")
    page.get_by_role("slider").fill("3")
    expect(says).to_have_text("Step 3 of 4. ada-01 played column 3.")
    page.get_by_role("button", name="Next").click()
    expect(says).to_contain_text("Step 4 of 4. bob-01 erred: It erred; its team can read how.")
    expect(says).to_contain_text("ada-01 won.")
    page.get_by_text("All moves").click()
    last = page.get_by_role("region", name="All moves").locator("tbody tr").last
    expect(last).to_contain_text("erred")


def test_who_wants_less_motion_sees_stills(page):
    page.emulate_media(reduced_motion="reduce")
    sign_in(page, "ada-01")
    page.goto("/episodes/1")
    says = page.locator("[data-player]").get_by_role("status")
    seen = set()
    page.get_by_role("button", name="Play").click()
    end = time.monotonic() + 20
    while "Step 39" not in says.text_content():
        assert time.monotonic() < end
        seen.add(says.text_content().split(".")[0])
    assert 1 <= len(seen) <= 4  # of forty


def test_it_fits_a_small_screen(page):
    page.set_viewport_size({"width": 360, "height": 740})
    sign_in(page, "ada-01")
    for episode in (1, 2):
        page.goto(f"/episodes/{episode}")
        expect(page.locator("[data-player]").get_by_role("status")).to_contain_text("Step 0")
        box = page.locator("canvas").bounding_box()
        assert 300 < box["width"] <= 328
        for name in ("First", "Back", "Play", "Next", "Last"):
            button = page.get_by_role("button", name=name, exact=True).bounding_box()
            assert button["height"] >= 38
            assert button["x"] + button["width"] <= 360


def test_the_file_of_the_command_line_plays_without_a_server(page, site, installation, tmp_path):
    with installation.database.writing() as session:
        user = session.scalars(select(User).where(User.handle == "ada-01")).one()
        _, token = accounts.create_token(session, user.id, "test")
    file = tmp_path / "flight.html"
    file.write_text(page_of(Client(site, token).replay(1)))
    page.goto(file.as_uri())
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("status")).to_contain_text("Step 1 of 39.")
    assert drawn(page) > 500
