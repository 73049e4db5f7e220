"""Every page that there is, by axe and by the ruler; a route without a line here fails."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import update
from tests.browser.visitors import sign_in
from tests.servers import serving

from podium import (
    accounts,
    announcements,
    competitions,
    discussion,
    editing,
    entryrequests,
    notifications,
    paths,
    publishing,
    reveal,
    starters,
)
from podium.models import Competition, Submission, User
from podium.models.record import now

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PICTURES = Path(__file__).parent.parent / "screenshots"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
NOBODY, STUDENT, STAFF, ADMIN = None, "ada-01", "teacher-01", "root-01"
# What is looked at, by whom; each endpoint of a page stands here once at least.
PAGES: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "challenges.list_challenges": (NOBODY, ("/", "/?search=nothing+such")),
    "account.sign_in_form": (NOBODY, ("/sign-in",)),
    "account.sign_up_form": (NOBODY, ("/sign-up",)),
    "recovery.forgotten": (NOBODY, ("/forgot-password",)),
    "recovery.new_password": (NOBODY, ("/new-password/x",)),
    "help.verdicts": (NOBODY, ("/help/verdicts",)),
    "help.api": (NOBODY, ("/help/api",)),
    "help.shapes": (NOBODY, ("/help/api/shapes",)),
    "account.show": (STUDENT, ("/account",)),
    "myself.address": (STUDENT, ("/account/address",)),
    "myself.proof": (STUDENT, ("/account/address/x",)),
    "myself.data": (STUDENT, ("/account/data",)),
    "myself.sign_ins": (STUDENT, ("/account/sign-ins",)),
    "notifications.show": (STUDENT, ("/notifications",)),
    "notifications.preferences": (STUDENT, ("/notifications/preferences",)),
    "competition.overview": (STUDENT, ("/c/toy/", "/c/closed/")),
    "competition.data": (STUDENT, ("/c/toy/data",)),
    "starter.show": (STUDENT, ("/c/toy/starter", "/c/over/starter")),
    "competition.submit_form": (STUDENT, ("/c/toy/submit", "/c/over/submit")),
    "competition.my_submissions": (STUDENT, ("/c/toy/submissions",)),
    "competition.rules": (STUDENT, ("/c/toy/rules",)),
    "discussion.threads": (STUDENT, ("/c/toy/discussion", "/c/over/discussion")),
    "discussion.show": (STUDENT, ("/c/toy/discussion/1",)),
    "leaderboard.show": (STUDENT, ("/c/toy/leaderboard", "/c/duel/leaderboard")),
    "leaderboard.show_shakeup": (STUDENT, ("/c/over/leaderboard/shakeup",)),
    "grades.show_mine": (STUDENT, ("/c/toy/grade",)),
    "teams.show": (STUDENT, ("/c/toy/team",)),
    "teams.behind": (STUDENT, ("/c/toy/team/join/x",)),
    "matches.show": (STUDENT, ("/c/duel/matches",)),
    "episodes.show": (STUDENT, ("/episodes/1",)),
    "submissions.mine": (STUDENT, ("/submissions",)),
    "submissions.show": (STUDENT, ("/submissions/{scored}", "/submissions/{invalid}")),
    "seasons.show_all": (STUDENT, ("/seasons/",)),
    "seasons.show": (STUDENT, ("/seasons/2026",)),
    "seasons.show_person": (STUDENT, ("/people/ada-01", "/people/bob-01")),
    "courses.list_courses": (STUDENT, ("/courses/",)),
    "courses.show": (STUDENT, ("/courses/dl/",)),
    "courses.behind": (STUDENT, ("/courses/join/x",)),
    "courses.show_people": (STAFF, ("/courses/dl/people",)),
    "courses.show_settings": (STAFF, ("/courses/dl/settings",)),
    "grades.show_gradebook": (STAFF, ("/courses/dl/gradebook",)),
    "teach.show": (STAFF, ("/teach/",)),
    "teach.show_activity": (STAFF, ("/c/toy/manage/activity",)),
    "publishing.new": (STAFF, ("/teach/new",)),
    "publishing.show": (STAFF, ("/c/toy/manage/publish", "/c/draft/manage/publish")),
    "manage.show": (STAFF, ("/c/toy/manage",)),
    "manage.show_text": (STAFF, ("/c/toy/manage/text",)),
    "manage.show_evidence": (STAFF, ("/c/toy/manage/integrity",)),
    "manage.compare": (STAFF, ("/c/toy/manage/integrity/compare?one={scored}&other={other}",)),
    "manage.show_rescoring": (STAFF, ("/c/toy/manage/rescoring",)),
    "announcements.show": (STAFF, ("/c/toy/manage/announcements",)),
    "handedin.show": (STAFF, ("/c/toy/manage/submissions",)),
    "handedin.show_participants": (STAFF, ("/c/closed/manage/participants",)),
    "grades.show": (STAFF, ("/c/toy/manage/grades",)),
    "admin.show": (ADMIN, ("/admin/",)),
    "operation.show_settings": (ADMIN, ("/admin/settings",)),
    "operation.show_storage": (ADMIN, ("/admin/storage?days=30",)),
}
# Parts of pages, files and answers for machines.
NO_PAGES = {
    # On the way to and from a provider of identities: tests/web/test_provider.py.
    *("provider.begin", "provider.begin_link", "provider.back", "provider.choose_handle"),
    *("competition.download", "competition.submission_rows", "leaderboard.rows", "static"),
    *("leaderboard.download", "handedin.download", "handedin.download_participants"),
    *("grades.download", "grades.download_gradebook", "publishing.export", "myself.export"),
    *("submissions.download", "notifications.follow", "icon.favicon", "challenges.script_words"),
    *("challenges.show_queue", "matches.show_final"),
    *("health.healthz", "health.readyz", "health.metrics"),
}


@pytest.fixture
def site(app, installation, factory, arena, predictions) -> Iterator[tuple[str, dict[str, int]]]:
    """A term in the middle: a course, boards, games, a final, a draft, words, what went wrong."""
    people = factory.course(assistant=("tutor-01",), student=("ada-01", "bob-01"))
    ada, bob, teacher = people["ada-01"], people["bob-01"], people["teacher-01"]
    factory.person("root-01", "admin")
    for strength, name in enumerate(("ada", "bob", "cyd")):
        arena.hand_in(f"{name}-01", strength)
    arena.play_all()
    factory.competition(is_practice=False, host_id=teacher.id)
    factory.competition("over", season="2026", host_id=teacher.id)
    factory.competition("closed", is_practice=False, host_id=teacher.id, asks_first=True)
    factory.competition("draft", is_practice=False, host_id=teacher.id, is_draft=True)
    factory.offer("train.csv", b"id,label\n1,2\n2,3\n")
    script = paths.bundled("baselines") / "recommender-popular.py"
    factory.offer("begin.py", script.read_bytes())
    factory.offer("begin.ipynb", starters.notebook(script, []).encode())
    with installation.database.writing() as session:
        toy = competitions.find(session, "toy")
        toy.course_id = next(iter(teacher.courses))
        toy.closes_at = now() + timedelta(days=3)
    for slug in ("toy", "over"):
        for caller in (ada, bob):
            with installation.database.writing() as session:
                competitions.join(session, competitions.find(session, slug), caller)
    numbers = {
        "scored": factory.submit(ada, predictions(14), message="first"),
        "other": factory.submit(bob, predictions(9)),
        "invalid": factory.submit(ada, "id,label\n0,12\n"),
        "over": factory.submit(ada, predictions(12), "over"),
        "over-too": factory.submit(bob, predictions(16), "over"),
    }
    for number in numbers.values():
        factory.judge(number)
    numbers["failed"] = factory.submit(bob, predictions(3))
    with installation.database.writing() as session:
        session.get_one(Submission, numbers["failed"]).state = "error"
        session.get_one(Submission, numbers["failed"]).verdict = "platform_fault"
        competitions.find(session, "over").closes_at = now() - timedelta(seconds=1)
    with installation.database.writing() as session:
        reveal.when_due(session, competitions.find(session, "over"), now())
        toy = competitions.find(session, "toy")
        words = (
            "> As said\n\n`model(x)` and $\\frac{1}{n}\\sum_i x_i$\n\n| a | b |\n|-|-|\n| 1 | 2 |"
        )
        thread = discussion.begin(session, toy, ada, "How is the loss meant?", words)
        discussion.reply(session, toy, teacher, thread.id, "As **written** above, see #1.")
        announcements.post(session, teacher, "toy", "New deadline", "Three days more.")
        notifications.tell(session, notifications.DEADLINE, [ada.id], "Toy ends.", "/c/toy/")
        entryrequests.enter(session, competitions.find(session, "closed"), bob, "From the club.")
        editing.set_text(session, teacher, "toy", "## What it is\n\nDigits, *again*.")
        session.execute(update(User).values(password_hash=accounts.hashed("correct horse")))
        assert session.get_one(Competition, toy.id).course_id
        assert publishing.blockers(competitions.find(session, "draft"))
    with serving(app) as address:
        yield address, numbers


def test_every_route_of_a_page_has_its_line(app):
    routes = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.rule.startswith("/api")
    }
    assert routes == set(PAGES) | NO_PAGES


def test_no_page_has_a_fault(chromium, site):
    address, numbers = site
    PICTURES.mkdir(exist_ok=True)
    faults: list[str] = []
    complaints: list[str] = []
    for who in (NOBODY, STUDENT, STAFF, ADMIN):
        # Wide and light, small and dark: what one of them hides the other shows.
        for width, scheme in ((1280, "light"), (320, "dark")):
            context = chromium.new_context(
                base_url=address,
                viewport={"width": width, "height": 800},
                color_scheme="light" if scheme == "light" else "dark",
            )
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            if who is not None:
                sign_in(page, who)
            for reader, asked in PAGES.values():
                for path in asked if reader == who else ():
                    where = path.format(**numbers)
                    faults += [f"{where} {width}: {one}" for one in look(page, where)]
                    if width > 1000:
                        faults += [f"{where}: {one}" for one in walk(page)]
                    name = where.strip("/").replace("/", "-").replace("?", "-") or "list"
                    file = PICTURES / f"every-{name}-{width}-{scheme}.png"
                    page.screenshot(path=file, full_page=True)
            context.close()
    assert "\n".join([*faults, *complaints]) == ""


def test_no_page_keeps_english_words_in_german_or_is_too_wide_for_its_words(chromium, site):
    """What is left is what people wrote: all of it stands in `THEIRS`."""
    address, numbers = site
    left: list[str] = []
    for who in (NOBODY, STUDENT, STAFF, ADMIN):
        context = chromium.new_context(base_url=address, viewport={"width": 320, "height": 800})
        page = context.new_page()
        if who is not None:
            sign_in(page, who)
        context.set_extra_http_headers({"Accept-Language": "de"})
        for reader, asked in PAGES.values():
            for path in asked if reader == who else ():
                where = path.format(**numbers)
                page.goto(where)
                assert page.locator("html").get_attribute("lang") == "de"
                lines: list[str] = page.evaluate(VISIBLE)
                left += [f"{where}: {line}" for line in lines if is_english(line)]
                wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                left += [f"{where}: {wide} px too wide"] if wide > 0 else []
                name = where.strip("/").replace("/", "-").replace("?", "-") or "list"
                page.screenshot(path=PICTURES / f"german-{name}.png", full_page=True)
        context.close()
    assert "\n".join(dict.fromkeys(left)) == ""


# The lines that are read or heard, without code, quotes, and what people typed.
VISIBLE = """() => {
  const skip = "script, style, template, code, pre, svg, [lang]:not(html), .mono.wide";
  const lines = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (!node.parentElement.closest(skip)) lines.push(node.textContent);
  }
  for (const one of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]"))
    for (const name of ["aria-label", "title", "placeholder", "alt"])
      if (one.hasAttribute(name)) lines.push(one.getAttribute(name));
  return lines.map((one) => one.replace(/\\s+/g, " ").trim()).filter(Boolean);
}"""
ENGLISH = re.compile(
    r"\b(the|of|is|and|your|you|with|from|are|not|this|that|for|to|by|has|have|it|one|each|more|"
    r"no|yes|none|every|who|what|when|how|row|rows|day|days|hour)\b",
    re.IGNORECASE,
)
THEIRS = frozenset(
    {
        *("How is the loss meant?", ": How is the loss meant?", "and"),
        *("Three days more.", "What it is", "## What it is Digits, *again*.", "From the club."),
        "teacher-01 antwortet in „How is the loss meant?“, in Toy digits.",
        "Recommender: everybody gets the films that most people like. "
        "The bar for everything learned.",
        # The text cell of a notebook that comes with a challenge.
        "The cells are those of",
        ", in its order: what it needs, its parts, then what it does step by step.",
        "are the ones of the command line.",
    }
)


def is_english(line: str) -> bool:
    """Whether a line has an English word that is nobody's name."""
    return line not in THEIRS and ENGLISH.search(line) is not None


def look(page: Page, path: str) -> Iterator[str]:
    """What is wrong with a page."""
    answer = page.goto(path)
    assert answer is not None
    is_missing = path.endswith("/x")  # a link that has ended: its page says so
    if answer.status != 200 and not (is_missing and answer.status in (404, 410)):
        yield f"answers {answer.status}"
    if page.locator("h1").count() != 1:
        yield f"has {page.locator('h1').count()} h1"
    if page.locator("main").count() != 1 or not page.title():
        yield "has no main or no title"
    if page.locator("a[href='#main']").count() != 1:
        yield "has no skip link"
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        yield f"is {wide} px too wide"
    page.evaluate(AXE.read_text())
    for fault in page.evaluate("axe.run()")["violations"]:
        yield f"{fault['id']}: {fault['nodes'][0]['html'][:160]}"


# Names all that a keyboard should reach, and writes down what it reaches.
LISTEN = """() => {
  const stops = "a[href], button, input, select, textarea, summary, [tabindex='0']";
  const isStop = (one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled
    && one.type !== "hidden" && one.tabIndex >= 0
    && !(one.type === "radio" && !one.checked);
  window.stops = [...document.querySelectorAll(stops)].filter(isStop);
  window.seen = new Map();
  document.addEventListener("focusin", ({target}) => {
    const {outlineStyle, outlineWidth} = getComputedStyle(target);
    window.seen.set(target, outlineStyle !== "none" && parseFloat(outlineWidth) > 0);
  });
  const dates = window.stops.filter((one) => /date|time/.test(one.type)).length;
  return window.stops.length + 8 * dates;  // each part of a date is a stop of its own
}"""
MISSED = """() => {
  const told = (one) => one.outerHTML.slice(0, 120);
  return [
    ...window.stops.filter((one) => !window.seen.has(one)).map((one) => "Tab misses " + told(one)),
    ...[...window.seen].filter(([, is]) => !is).map(([one]) => "no outline on " + told(one)),
  ];
}"""


def walk(page: Page) -> list[str]:
    """What the key Tab does not reach, or reaches without showing it."""
    for _ in range(page.evaluate(LISTEN) + 2):
        page.keyboard.press("Tab")
    missed: list[str] = page.evaluate(MISSED)
    return missed
