"""The Ladder on the real pipeline: what teams are told, and what a patient attacker gets."""

import numpy as np
import pytest
from sqlalchemy import select

from podium import boardoptions, competitions, leaderboard, losses, submissions
from podium.models import Evaluation, Submission

PUBLIC_ROWS, PRIVATE_ROWS = 300, 1500
PROBES = 120
COIN = {
    "metric": {"name": "accuracy"},
    "submission": {
        "format": "csv",
        "id": {"name": "id", "type": "integer"},
        "columns": [{"name": "label", "type": "integer", "low": 0, "high": 1}],
    },
}


def csv(labels):
    return ("id,label\n" + "".join(f"{i},{label}\n" for i, label in enumerate(labels))).encode()


@pytest.fixture
def coins(factory):
    """Hosts 1,800 tosses of a coin, 300 of them public; an honest method knows 60 % of them."""
    draw = np.random.default_rng(7)
    truth = draw.integers(0, 2, PUBLIC_ROWS + PRIVATE_ROWS)
    usage = ["Public"] * PUBLIC_ROWS + ["Private"] * PRIVATE_ROWS
    answers = "id,label,Usage\n" + "".join(
        f"{i},{label},{used}\n" for i, (label, used) in enumerate(zip(truth, usage, strict=True))
    )

    def host(slug, **columns):
        declared = (COIN, answers.encode(), csv(np.zeros_like(truth)))
        factory.competition(slug, declared=declared, daily_limit=10_000, **columns)
        return factory.member("ada-01", slug)

    return host, truth


def shown(installation, caller, submission_id):
    """The public score as its team reads it, and both scores as they are."""
    with installation.database.reading() as session:
        own = submissions.get(session, caller, submission_id)
        values = {one.split: one for one in own.evaluations}
    return values["public"].shown, values["public"].value, values["private"].value


def attack(installation, factory, caller, slug, length):
    """Ask with random labels, then vote by what was better than chance (Blum and Hardt 2015)."""
    draw = np.random.default_rng(1)
    votes = np.zeros(length)
    for _ in range(PROBES):
        labels = draw.integers(0, 2, length)
        submission_id = factory.submit(caller, csv(labels), slug=slug)
        factory.judge(submission_id)
        told, _, _ = shown(installation, caller, submission_id)
        votes += (2 * labels - 1) * np.sign(told - 0.5)
    submission_id = factory.submit(caller, csv((votes > 0).astype(int)), slug=slug)
    factory.judge(submission_id)
    with installation.database.reading() as session:
        competition = competitions.find(session, slug)
        (row,) = leaderboard.read(session, competition).rows
        private = session.scalars(
            select(Evaluation.value).where(
                Evaluation.submission_id == row.submission_id, Evaluation.split == "private"
            )
        ).one()
    return row.score - private


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_attack_climbs_the_plain_board_and_not_the_ladder(installation, factory, coins):
    host, truth = coins
    plain = attack(installation, factory, host("plain"), "plain", len(truth))
    ladder = attack(
        installation, factory, host("ladder", anti_overfit="ladder"), "ladder", len(truth)
    )
    assert plain > 0.15
    assert ladder < 0.08


def test_a_small_step_is_recorded_and_not_shown(installation, factory, coins):
    host, truth = coins
    ada = host("ladder", anti_overfit="ladder")
    best = np.where(np.arange(len(truth)) < 200, truth, 1 - truth)
    told = []
    for changed in (0, 1, 40):  # public rows more that are right
        labels = best.copy()
        labels[200 : 200 + changed] = truth[200 : 200 + changed]
        submission_id = factory.submit(ada, csv(labels), slug="ladder")
        factory.judge(submission_id)
        told.append(shown(installation, ada, submission_id)[:2])
    assert told == [(200 / 300, 200 / 300), (200 / 300, 201 / 300), (240 / 300, 240 / 300)]
    with installation.database.reading() as session:
        (row,) = leaderboard.read(session, competitions.find(session, "ladder")).rows
    assert (row.score, row.entries) == (0.8, 3)


def test_switching_the_ladder_on_plays_it_from_the_first_submission(installation, factory, coins):
    host, truth = coins
    owner = factory.person("host-01", "instructor")
    ada = host("toy", host_id=owner.id)
    for right in (200, 201, 240):
        labels = np.where(np.arange(len(truth)) < right, truth, 1 - truth)
        factory.judge(factory.submit(ada, csv(labels)))

    def repeats():
        with installation.database.reading() as session:
            return session.scalars(
                select(Evaluation.repeats)
                .join(Submission, Submission.id == Evaluation.submission_id)
                .where(Evaluation.split == "public")
                .order_by(Submission.id)
            ).all()

    def switch(value):
        with installation.database.writing() as session:
            boardoptions.change(
                session, installation.storage, owner, "toy", {"anti_overfit": value}
            )

    switch("ladder")
    assert repeats() == [None, 200 / 300, None]
    switch("none")
    assert repeats() == [None, None, None]


@pytest.mark.parametrize(
    ("values", "most"),
    [
        (np.random.default_rng(0).integers(0, 2, 10_000).astype(float), 2_600),
        (np.random.default_rng(0).integers(0, 9, 10_000) / 9, 6_500),
        (np.random.default_rng(0).normal(size=10_000), 42_000),
    ],
)
def test_losses_are_kept_small_and_come_back(values, most):
    packed = losses.pack({"public": values, "private": values[:7]})
    assert len(packed) < most
    back = losses.unpack(packed)
    assert np.allclose(back["public"], values, rtol=1e-6)
    assert np.allclose(back["private"], values[:7], rtol=1e-6)
