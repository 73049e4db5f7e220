"""The pages people read, one blueprint a noun. Server-rendered; scripts only add to them."""

from flask import Flask

from podium.web.pages import (
    account,
    admin,
    challenges,
    competition,
    courses,
    discussion,
    display,
    episodes,
    grades,
    help,
    leaderboard,
    manage,
    myself,
    notifications,
    publishing,
    recovery,
    submissions,
    teach,
    teams,
)


def init_app(app: Flask) -> None:
    """Add the pages and what their templates use."""
    display.init_app(app)
    for noun in (
        *(challenges, competition, leaderboard, discussion, teams, manage, submissions, episodes),
        *(
            teach,
            publishing,
            courses,
            grades,
            account,
            recovery,
            myself,
            notifications,
            admin,
            help,
        ),
    ):
        app.register_blueprint(noun.blueprint)
