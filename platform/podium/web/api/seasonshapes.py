"""Shapes of seasons and of what people have won."""

from datetime import datetime

from podium.web.api.shapes import Page, Shape


class SeasonNames(Shape):
    """The seasons that something in sight counts for, the latest first."""

    items: list[str]


class SeasonStanding(Shape):
    """A person's place in a season; points fade, those of today are told."""

    rank: int
    handle: str
    points: float
    gold: int
    silver: int
    bronze: int
    competitions: int
    is_me: bool


class Season(Page):
    """A page of a season's ranking; `competitions` count for it."""

    season: str
    competitions: list[str]
    items: list[SeasonStanding]


class ProfileEntry(Shape):
    """One final board that a person stands on; `points` is null where it counts for no season."""

    competition: str
    title: str
    team: str
    rank: int
    teams: int
    medal: str
    points: float | None
    ended_at: datetime | None


class Profile(Shape):
    """What may be known of a person."""

    handle: str
    points: float
    gold: int
    silver: int
    bronze: int
    history: list[ProfileEntry]
