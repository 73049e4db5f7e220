import contextlib
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from podium import (
    assignments,
    competitions,
    difference,
    leaderboard,
    limits,
    rescoring,
    submissions,
    turns,
)
from podium.assignments import Report
from podium.errors import BadRequestError, ConflictError, NoAccessError, NotFoundError
from podium.leaderboard import Reader
from podium.models import (
    AuditEntry,
    Challenge,
    Evaluation,
    Rescoring,
    Submission,
    Transition,
)
from podium.models.record import now
from podium.revision import Revision
from podium.workers import Card

ROWS = range(20)


def file(right):
    return "id,label\n" + "".join(f"{i},{i % 10 if i in right else (i + 1) % 10}\n" for i in ROWS)


def answers(wrong=()):
    return (
        "id,label,Usage\n"
        + "".join(
            f"{i},{(i + 1) % 10 if i in wrong else i % 10},{'Public' if i % 2 else 'Private'}\n"
            for i in ROWS
        )
    ).encode()


@pytest.fixture
def host(factory):
    caller = factory.person("host-01", "instructor")
    factory.competition(host_id=caller.id, closes_at=now() + timedelta(days=1))
    return caller


@pytest.fixture
def scored(factory, host):
    """ada has 5 of 10 public rows right (1, 3, 5, 7, 9), bob 4 others (11 to 17)."""
    ids = {}
    for handle, right in (("ada-01", {1, 3, 5, 7, 9}), ("bob-01", {11, 13, 15, 17})):
        ids[handle] = factory.submit(factory.member(handle), file(right))
        factory.judge(ids[handle])
    return ids


@pytest.fixture
def begin(installation, host, scored):
    def act(**wanted):
        return rescoring.begin(installation, host, "toy", Revision(**wanted))

    return act


@pytest.fixture
def apply(installation, host):
    def act(**options):
        return difference.apply(installation, host, "toy", **options)

    return act


def board(installation, split="public"):
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        page = leaderboard.read(session, competition, split=split, reader=Reader(is_host=True))
    return [(row.rank, row.team, row.score) for row in page.rows]


def changes(installation, split="public"):
    with installation.database.reading() as session:
        trial = rescoring.need_trial(session, competitions.find(session, "toy"))
        found = difference.difference(installation.storage, session, trial)
    return [
        (one.team, one.rank_before, one.rank_after, one.score_before, one.score_after)
        for one in found.boards[split]
    ]


BEFORE = [(1, "ada-01", 0.5), (2, "bob-01", 0.4)]
# Rows 1, 3 and 5 had the wrong answer: ada loses them, bob wins them.
AFTER = [(1, "bob-01", 0.7), (2, "ada-01", 0.2)]


def test_a_trial_changes_nothing_that_a_team_sees(installation, factory, begin, scored):
    begin(answers=answers({1, 3, 5}), reason="three typing errors")
    factory.judge_all()
    assert board(installation) == BEFORE
    with installation.database.reading() as session:
        ada = factory.person("ada-01")
        own = submissions.get(session, ada, scored["ada-01"])
        assert [one.value for one in own.evaluations if one.split == "public"] == [0.5]
        competition = competitions.find(session, "toy")
        assert submissions.count(session, competition_id=competition.id) == 2
        assert limits.of_team(session, competition, own.team_id, now()).used_today == 1
        assert len(submissions.of_competition(session, competition.id)) == 2


def test_the_difference_says_who_moves_and_by_how_much(installation, factory, begin):
    begin(answers=answers({1, 3, 5}))
    factory.judge_all()
    assert sorted(changes(installation)) == [
        ("ada-01", 1, 2, 0.5, 0.2),
        ("bob-01", 2, 1, 0.4, 0.7),
    ]


def test_what_was_told_is_what_applying_does(installation, factory, begin, apply):
    begin(answers=answers({1, 3, 5}))
    factory.judge_all()
    told = {(rank, team, score) for team, _, rank, _, score in changes(installation)}
    apply(reason="agreed")
    assert set(board(installation)) == told == set(AFTER)


def test_the_old_evaluation_stays_readable_and_the_timeline_tells(
    installation, factory, begin, apply, scored
):
    begin(answers=answers({1, 3, 5}), reason="Three typing errors.")
    factory.judge_all()
    apply()
    with installation.database.reading() as session:
        own = submissions.get(session, factory.person("ada-01"), scored["ada-01"])
        earlier = rescoring.earlier(session, own)
        note = session.scalars(
            select(Transition.note)
            .where(Transition.submission_id == own.id)
            .order_by(Transition.id.desc())
        ).first()
    assert [one.value for one in own.evaluations if one.split == "public"] == [0.2]
    assert [one.value for one in earlier if one.split == "public"] == [0.5]
    assert note == "Rescored (answers mended): 0.5 became 0.2. Three typing errors."


def test_discarding_leaves_no_trace_but_the_audit(installation, factory, begin, host):
    begin(answers=answers({1, 3, 5}))
    factory.judge_all()
    rescoring.discard(installation, host, "toy", "not needed")
    assert board(installation) == BEFORE
    with installation.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Evaluation)) == 4
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert rescoring.applied(session, competitions.find(session, "toy").id) == []
    assert actions == ["rescoring.begin", "rescoring.discard"]


def test_a_discarded_trial_that_was_at_work_records_nothing(installation, factory, begin, host):
    begin(answers=answers({1, 3, 5}))
    rescoring.discard(installation, host, "toy", "")
    assert factory.judge_all() == 0


def test_rows_can_be_left_out(installation, factory, begin, apply):
    begin(excluded=("1", "3", "0"))
    factory.judge_all()
    apply()
    # public rows 5 to 19: ada has 5, 7, 9 of 8, bob 11 to 17
    assert board(installation) == [(1, "bob-01", 0.5), (2, "ada-01", 0.375)]
    with installation.database.reading() as session:
        ends = session.scalars(
            select(Evaluation.signature).where(Evaluation.in_force, Evaluation.split == "public")
        ).all()
    assert all("-without-" in signature for signature in ends)


def test_another_metric_ranks(installation, factory, begin, apply):
    begin(metric={"name": "f1_macro"})
    factory.judge_all()
    apply()
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        names = set(session.scalars(select(Evaluation.metric).where(Evaluation.in_force)))
        assert competition.challenge.spec["metric"] == {"name": "f1_macro"}
        assert competition.challenge.revision == 1
    assert names == {"f1_macro"}
    assert len(board(installation)) == 2


def test_raise_only_lets_no_score_fall(installation, factory, begin, apply):
    begin(answers=answers({1, 3, 5}), raise_only=True)
    factory.judge_all()
    told = {(rank, team, score) for team, _, rank, _, score in changes(installation)}
    apply()
    assert set(board(installation)) == told == {(1, "bob-01", 0.7), (2, "ada-01", 0.5)}


def test_people_come_before_a_rescoring(factory, predictions, begin):
    begin(answers=answers({1}))
    new = factory.submit(factory.member("cy-01"), predictions(3))
    with factory.installation.database.writing() as session:
        first = turns.take(session, "score", "w1", "score", 60)
    assert first.submission_id == new


def test_what_is_scored_during_a_trial_is_rescored_before_it_is_applied(
    installation, factory, begin, apply
):
    begin(answers=answers({1, 3, 5}))
    factory.judge_all()
    late = factory.submit(factory.member("cy-01"), file({1, 3, 5, 7, 9, 11}))
    factory.judge(late)
    with pytest.raises(ConflictError, match="1 submissions were scored since"):
        apply()
    factory.judge_all()
    apply()
    assert board(installation) == [
        (1, "bob-01", 0.7),
        (2, "cy-01", 0.3),
        (3, "ada-01", 0.2),
    ]


def test_what_is_being_scored_while_it_is_applied_is_scored_by_the_new_answers(
    installation, factory, begin, apply
):
    from podium import judging

    begin(answers=answers({1, 3, 5}))
    factory.judge_all()
    factory.submit(factory.member("cy-01"), file({1, 3, 5}))
    taken = judging.take(installation, "score", "slow")  # reads the challenge as it was
    apply()
    judging.judge(installation, taken)
    factory.judge_all()
    assert (3, "cy-01", 0.0) in board(installation)


def test_nothing_is_applied_before_all_is_scored(begin, apply):
    begin(answers=answers({1}))
    with pytest.raises(ConflictError, match="2 of 2 submissions are not rescored yet"):
        apply()


def test_progress_counts_what_waits_and_what_is_done(installation, factory, begin):
    trial_id = begin(answers=answers({1}))

    def progress():
        with installation.database.reading() as session:
            return rescoring.progress(session, session.get_one(Rescoring, trial_id))

    assert (progress().waiting, progress().scored, progress().is_over) == (2, 0, False)
    factory.judge_all()
    assert (progress().waiting, progress().scored, progress().is_over) == (0, 2, True)


def test_only_one_trial_is_undecided_and_only_a_hosts(installation, factory, begin):
    begin(answers=answers({1}))
    with pytest.raises(ConflictError, match="nobody has decided on"):
        begin(answers=answers({3}))
    with pytest.raises(NoAccessError):
        rescoring.begin(
            installation, factory.person("eve-01", "instructor"), "toy", Revision(runs_again=True)
        )


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "Nothing would be different"),
        ({"excluded": ("77",)}, "no row '77'"),
        ({"excluded": tuple(map(str, ROWS))}, "No row would be left"),
        ({"metric": {"name": "acuracy"}}, "did you mean 'accuracy'"),
        ({"answers": b"id,label\n1,2\n"}, "cannot be scored so"),
        ({"metric": {"name": "f1_macro"}, "raise_only": True}, "do not compare"),
    ],
)
def test_a_revision_that_cannot_be_scored_with_is_refused_at_once(
    installation, begin, wanted, words
):
    with pytest.raises(BadRequestError, match=words):
        begin(**wanted)
    with installation.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Challenge)) == 1


def test_without_a_trial_there_is_nothing_to_decide(apply, host):
    with pytest.raises(NotFoundError, match="no rescoring to decide on"):
        apply()


CODE = {"kinds": ["predictions", "code"], "run": {"inputs": ["test.csv"]}}
RUN = Card("r1", "run")


def run(installation, content):
    """What a run worker does: take, read the inputs, bring an output."""
    assignment = assignments.take(installation, RUN)
    lease = assignments.read_token(installation, assignment.token)
    with contextlib.closing(installation.storage.receive(1 << 20)) as output:
        output.write(content.encode())
        assignments.keep_output(installation, lease, output)
    assert assignments.report(installation, lease, Report("ran"))
    return [file.sha256 for file in assignment.inputs]


def test_code_is_run_again_on_the_hidden_set_of_another_version(installation, factory):
    host = factory.person("host-01", "instructor")
    factory.competition(host_id=host.id, spec=CODE)
    factory.offer("test.csv", b"old")
    ada, bob = factory.member("ada-01"), factory.member("bob-01")
    own = factory.submit(ada, "a bundle", kind="code")
    run(installation, file({1, 3, 5}))
    factory.judge(own)
    factory.judge(factory.submit(bob, file({1})))
    numbers = range(100, 120)
    truth = "".join(f"{i},{i % 10},{'Public' if i % 2 else 'Private'}\n" for i in numbers)
    sample = "id,label\n" + "".join(f"{i},0\n" for i in numbers)
    declared = ({}, f"id,label,Usage\n{truth}".encode(), sample.encode())
    factory.competition("other", declared=declared, spec=CODE)
    factory.offer("test.csv", b"new", slug="other")
    with installation.database.writing() as session:
        second = session.scalars(select(Challenge).where(Challenge.slug == "other")).one()
        second.slug, second.version = "toy", 2
    assignments.arrive(installation, RUN)
    rescoring.begin(installation, host, "toy", Revision(version=2))
    (digest,) = run(installation, "id,label\n" + "".join(f"{i},{i % 10}\n" for i in numbers))
    factory.judge_all()
    with pytest.raises(ConflictError, match="1 of 2 submissions could not be scored again"):
        difference.apply(installation, host, "toy")
    difference.apply(installation, host, "toy", leaves_out=True)
    with installation.database.reading() as session:
        competition = competitions.find(session, "toy")
        assert (competition.challenge.version, competition.challenge.revision) == (2, 1)
        assert competition.challenge.files[0].sha256 == digest
    assert [team for _, team, _ in board(installation)] == ["ada-01"]


def test_a_version_that_is_not_prepared_is_refused(begin):
    with pytest.raises(BadRequestError, match="Version 9 of toy"):
        begin(version=9)


def test_selected_finals_and_reception_times_outlive_a_rescoring(
    installation, factory, begin, apply, scored
):
    from podium import finals

    ada = factory.person("ada-01")
    with installation.database.writing() as session:
        finals.choose(session, competitions.find(session, "toy"), ada, [scored["ada-01"]])
    with installation.database.reading() as session:
        before = session.get_one(Submission, scored["ada-01"]).received_at
    begin(answers=answers({1, 3, 5}))
    factory.judge_all()
    apply()
    with installation.database.reading() as session:
        after = session.get_one(Submission, scored["ada-01"])
    assert (after.received_at, after.selected) == (before, True)
