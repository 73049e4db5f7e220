import contextlib
import io
import random
import zipfile
from datetime import timedelta

import pytest

from podium import (
    checkup,
    competitions,
    courses,
    dashboard,
    editing,
    plaincsv,
    publishing,
    submissions,
)
from podium.errors import (
    BadRequestError,
    ClosedError,
    ConflictError,
    NoAccessError,
    NotFoundError,
)
from podium.models.record import now
from podium.publishing import Stage

DAY = timedelta(days=1)


def table(rows=1500, seed=0):
    """Two features; the label is whether the first is the larger, with one row of ten wrong."""
    chance = random.Random(seed)
    lines = ["row,x,y,site,label"]
    for number in range(rows):
        x, y = chance.random(), chance.random()
        label = int((x > y) != (chance.random() < 0.1))
        lines.append(f"r{number},{x:.6f},{y:.6f},{number % 7},{label}")
    return "\n".join(lines).encode() + b"\n"


WISH = plaincsv.Wish("larger", "Which is larger", "Compare two numbers.", "label", "accuracy", {})


@pytest.fixture
def teacher(factory):
    return factory.course(student=("ada-01",))["teacher-01"]


@pytest.fixture
def draft(installation, teacher):
    """A draft of the table, in the course."""
    folder = plaincsv.folder(WISH, plaincsv.divided(WISH, table()))
    publishing.draft(installation, teacher, "larger", folder, course="dl")
    return folder


def guess(folder, right=True):
    """What the rule x > y predicts of the test rows, or its opposite."""
    lines = folder.public["test.csv"].decode().splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
    said = (f"{r['id']},{int((float(r['x']) > float(r['y'])) == right)}\n" for r in rows)
    return "id,label\n" + "".join(said)


def hand_in(installation, factory, caller, content, name="Rule", slug="larger"):
    with contextlib.closing(installation.storage.receive(1 << 20)) as incoming:
        incoming.write(content.encode())
        upload = submissions.Upload(incoming, "rule.csv")
        publishing.hand_in_baseline(installation, caller, slug, name, upload)
    factory.judge_all()


def act(installation, does, *arguments, **named):
    with installation.database.writing() as session:
        return does(session, *arguments, **named)


def of(installation, slug="larger"):
    with installation.database.reading() as session:
        competition = competitions.find(session, slug)
        return publishing.stage(competition, now()), publishing.blockers(competition), competition


def test_a_table_becomes_a_draft_that_only_its_staff_sees(installation, factory, teacher, draft):
    with installation.database.reading() as session:
        for caller in (None, factory.person("eve-01"), factory.as_now(factory.person("ada-01"))):
            with pytest.raises(NotFoundError):
                competitions.need_sight(session, "larger", caller)
        competitions.need_sight(session, "larger", teacher)
        assert competitions.find(session, "larger").time_zone == "Europe/Berlin"
    assert of(installation)[0] is Stage.DRAFT


def test_a_worker_that_is_quicker_than_a_baseline_does_not_check_without_it(
    installation, factory, teacher, draft, monkeypatch
):
    keep = installation.storage.keep

    def and_a_worker_comes_by(incoming, key):
        checkup.work(installation)
        keep(incoming, key)

    monkeypatch.setattr(installation.storage, "keep", and_a_worker_comes_by)
    hand_in(installation, factory, teacher, guess(draft))
    assert checkup.work(installation)
    assert of(installation)[1] == []


def test_a_draft_takes_nothing(installation, factory, teacher, draft):
    act(installation, lambda s: competitions.join(s, competitions.find(s, "larger"), teacher))
    with pytest.raises(ClosedError, match="is a draft"):
        factory.submit(teacher, guess(draft), "larger")


def test_publishing_is_blocked_until_a_baseline_scores_as_it_should(
    installation, factory, teacher, draft
):
    with pytest.raises(ConflictError, match="checks are not done"):
        act(installation, publishing.publish, teacher, "larger")
    assert checkup.work(installation)
    assert of(installation)[1] == [
        "No baseline has a score yet. Hand in what a simple solution predicts."
    ]
    hand_in(installation, factory, teacher, guess(draft))
    checkup.work(installation)
    stage, blockers, competition = of(installation)
    assert (stage, blockers) == (Stage.CHECKED, [])
    scores = competition.checks["scores"]
    assert scores["perfect"] == {"public": 1.0, "private": 1.0}
    assert scores["sample"]["private"] < 0.6 < 0.85 < scores["Rule"]["private"] < 0.95
    act(installation, publishing.publish, teacher, "larger")
    assert of(installation)[0] is Stage.OPEN


def test_a_baseline_that_is_worse_than_chance_blocks(installation, factory, teacher, draft):
    hand_in(installation, factory, teacher, guess(draft, right=False))
    checkup.work(installation)
    blockers = of(installation)[1]
    assert any("the baseline must be better" in line for line in blockers)
    with pytest.raises(ConflictError, match="cannot be published"):
        act(installation, publishing.publish, teacher, "larger")


def test_the_checks_wait_for_the_baselines_score(installation, teacher, draft):
    with contextlib.closing(installation.storage.receive(1 << 20)) as incoming:
        incoming.write(guess(draft).encode())
        upload = submissions.Upload(incoming, "rule.csv")
        publishing.hand_in_baseline(installation, teacher, "larger", "Rule", upload)
    assert not checkup.work(installation)


def test_a_public_split_of_few_rows_is_warned_of(installation, factory, teacher, draft):
    checkup.work(installation)
    warnings = of(installation)[2].checks["warnings"]
    assert "The public split has 180 rows. Below 300 chance decides." in warnings


@pytest.fixture
def published(installation, factory, teacher, draft):
    hand_in(installation, factory, teacher, guess(draft))
    checkup.work(installation)
    act(installation, publishing.publish, teacher, "larger")
    return draft


def edit(installation, caller, **wanted):
    act(installation, editing.change, installation.storage, caller, "larger", wanted)


def test_its_stages_follow_its_dates(installation, teacher, published):
    edit(installation, teacher, opens_at=now() + DAY, closes_at=now() + 2 * DAY)
    assert of(installation)[0] is Stage.SCHEDULED
    act(installation, publishing.open_now, teacher, "larger")
    assert of(installation)[0] is Stage.OPEN
    act(installation, publishing.close_now, teacher, "larger")
    assert of(installation)[0] is Stage.CLOSED
    with pytest.raises(ClosedError, match="closed at"):
        act(installation, publishing.close_now, teacher, "larger")


def test_students_hand_in_to_what_was_published(installation, factory, published):
    ada = factory.as_now(factory.person("ada-01"))
    act(installation, lambda s: competitions.join(s, competitions.find(s, "larger"), ada))
    number = factory.submit(ada, guess(published), "larger")
    assert factory.judge(number).state == "scored"


def test_a_copy_is_a_draft_with_its_dates_shifted(installation, factory, teacher, published):
    closes_at = now().replace(year=2100, month=10, day=20, hour=16, minute=0)
    edit(installation, teacher, closes_at=closes_at, late_hours=48)
    publishing.clone(installation, teacher, "larger", "larger-2", days=14, course="dl")
    factory.judge_all()
    checkup.work(installation)
    stage, blockers, copy = of(installation, "larger-2")
    assert (stage, blockers, copy.late_hours) == (Stage.CHECKED, [], 48)
    # The clocks went back in between: the time of the day stays.
    assert copy.closes_at == closes_at + 14 * DAY + timedelta(hours=1)


def exported(installation, caller, slug="larger"):
    out = io.BytesIO()
    publishing.export(installation, caller, slug, out)
    return out.getvalue()


def test_what_is_exported_can_be_hosted_again(installation, factory, teacher, published):
    content = exported(installation, teacher)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sorted(archive.namelist()) == [
            "README.md",
            "challenge.toml",
            "private/answers.csv",
            "public/sample_submission.csv",
            "public/test.csv",
            "public/train.csv",
        ]
    folder = publishing.read_folder(content)
    assert (folder.spec, folder.public, folder.answers) == (
        published.spec,
        published.public,
        published.answers,
    )
    publishing.draft(installation, teacher, "again", folder)
    assert of(installation, "again")[0] is Stage.DRAFT


def test_only_hosts_export_clone_and_publish(installation, factory, teacher, published):
    eve = factory.person("eve-01", "instructor")
    with pytest.raises(NoAccessError):
        exported(installation, eve)
    with pytest.raises(NoAccessError):
        publishing.clone(installation, eve, "larger", "mine", days=0, course=None)
    for does in (publishing.publish, publishing.open_now, publishing.close_now):
        with pytest.raises(NoAccessError):
            act(installation, does, eve, "larger")


def test_students_host_nothing_and_nobody_hosts_in_anothers_course(installation, factory, teacher):
    folder = plaincsv.folder(WISH, plaincsv.divided(WISH, table()))
    with pytest.raises(NoAccessError, match="Only instructors"):
        publishing.draft(installation, factory.person("ada-01"), "mine", folder)
    other = factory.person("host-02", "instructor")
    with pytest.raises(NotFoundError):
        publishing.draft(installation, other, "mine", folder, course="dl")


def test_a_taken_short_name_is_refused(installation, factory, teacher, draft):
    with pytest.raises(ConflictError, match="taken"):
        publishing.draft(installation, teacher, "larger", draft)


def test_a_challenge_of_podium_is_hosted_with_its_baseline(
    installation, factory, teacher, predictions
):
    factory.competition()
    hand_in(installation, factory, factory.person("root-01", "admin"), predictions(14), slug="toy")
    publishing.draft_of_bundled(installation, teacher, "mine", "toy", course="dl")
    factory.judge_all()
    checkup.work(installation)
    stage, _, competition = of(installation, "mine")
    assert competition.checks["scores"]["Rule"] == {"public": 0.7, "private": 0.7}
    assert stage is Stage.CHECKED


@pytest.mark.parametrize(
    ("leave_out", "said"),
    [
        ("challenge.toml", "no challenge.toml"),
        ("README.md", "no README.md"),
        ("private/answers.csv", "not prepared"),
        ("public/train.csv", "public/ has not"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(installation, teacher, published, leave_out, said):
    source = zipfile.ZipFile(io.BytesIO(exported(installation, teacher)))
    out = io.BytesIO()
    with source, zipfile.ZipFile(out, "w") as archive:
        for name in source.namelist():
            if name != leave_out:
                archive.writestr(name, source.read(name))
    with pytest.raises(BadRequestError, match=said):
        publishing.read_folder(out.getvalue())


def test_a_zip_that_leads_out_of_itself_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../challenge.toml", "x")
    with pytest.raises(BadRequestError, match="leads out"):
        publishing.read_folder(out.getvalue())


def test_the_dashboard_tells_what_needs_the_host(installation, factory, teacher, draft):
    (row,) = _hosted(installation, teacher)
    assert [need.what for need in row.needs] == [
        "Draft: The checks are not done yet. A score worker does them when it has time."
    ]
    assert _hosted(installation, factory.person("host-02", "instructor")) == []
    assert _hosted(installation, factory.as_now(factory.person("ada-01"))) == []


def _hosted(installation, caller):
    with installation.database.reading() as session:
        return dashboard.hosted(session, caller)


def test_the_activity_tells_how_far_people_have_come(installation, factory, teacher, published):
    for handle in ("bob-01", "cy-01"):
        factory.person(handle)
        act(installation, courses.enrol, teacher, "dl", handle, "student")
    callers = {h: factory.as_now(factory.person(h)) for h in ("ada-01", "bob-01", "cy-01")}
    for handle in ("ada-01", "bob-01"):
        caller = callers[handle]
        act(
            installation,
            lambda s, c=caller: competitions.join(s, competitions.find(s, "larger"), c),
        )
    act(
        installation,
        lambda s: competitions.note_download(s, competitions.find(s, "larger"), callers["bob-01"]),
    )
    perfect = "".join(
        ",".join(line.split(",")[:2]) + "\n" for line in published.answers.decode().splitlines()
    )
    factory.judge(factory.submit(callers["ada-01"], perfect, "larger"))
    factory.judge(factory.submit(callers["ada-01"], "id,label\nx,1\n", "larger"))
    with installation.database.reading() as session:
        found = dashboard.activity(session, competitions.find(session, "larger"))
    assert (found.enrolled, found.joined, found.downloaded) == (3, 2, 1)
    assert (found.submitted, found.beat_baseline) == (1, 1)
    assert found.absent == ["bob-01", "cy-01"]
    assert found.ends == {"scored": 1, "invalid": 1}
    assert sum(one.teams for one in found.bins) == 1
    assert [name for one in found.bins for name in one.baselines] == ["Rule"]
    assert found.wait_p50_s is not None
