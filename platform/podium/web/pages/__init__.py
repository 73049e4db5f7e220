"""The pages people read, one blueprint a noun. Server-rendered; scripts only add to them."""

from flask import Flask

from podium.web.pages import (
    account,
    admin,
    announcements,
    challenges,
    competition,
    courses,
    discussion,
    display,
    episodes,
    grades,
    handedin,
    help,
    icon,
    leaderboard,
    manage,
    matches,
    myself,
    notifications,
    operation,
    preview,
    provider,
    publishing,
    recovery,
    seasons,
    starter,
    submissions,
    teach,
    teams,
)


def init_app(app: Flask) -> None:
    """Add the pages and what their templates use."""
    display.init_app(app)
    for noun in (
        *(
            challenges,
            competition,
            starter,
            leaderboard,
            matches,
            teams,
            manage,
            handedin,
            announcements,
            submissions,
            episodes,
        ),
        *(teach, preview, publishing, courses, grades, account, seasons, admin),
        *(discussion, provider, recovery, myself, notifications, operation, help, icon),
    ):
        app.register_blueprint(noun.blueprint)
