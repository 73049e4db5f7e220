"""Shapes of teams: names, invitations, merging."""

from datetime import datetime

from pydantic import Field

from podium.web.api.shapes import Shape


class TeamName(Shape):
    """The name of a team."""

    name: str = Field(max_length=200)


class InvitationRequest(Shape):
    """Whom to invite; without a handle, whoever has the link."""

    handle: str | None = Field(None, max_length=200)


class NewInvitation(Shape):
    """An open invitation; `code` and `link` are told once, for links only."""

    team: str
    handle: str | None
    code: str | None
    link: str | None


class AcceptRequest(Shape):
    """Which invitation: by the team's name, or by the code of a link."""

    team: str | None = Field(None, max_length=200)
    code: str | None = Field(None, max_length=100)


class MergeRequest(Shape):
    """With which team."""

    team: str = Field(max_length=200)


class Member(Shape):
    """A person in a team."""

    handle: str
    is_leader: bool
    joined_at: datetime


class TeamCard(Shape):
    """A team, as its members see it."""

    name: str
    members: list[Member]
    submissions: int
    disqualified: str
    invited: list[str]
    links: int
    asked: list[str]
    asked_by: list[str]


class MyTeam(Shape):
    """The caller's team (null before joining), the teams that invite, the rules."""

    team: TeamCard | None
    invited_by: list[str]
    team_size: int
    changes_until: datetime | None


class Merged(Shape):
    """The team that two have become; null while the other one has not agreed."""

    team: TeamCard | None
