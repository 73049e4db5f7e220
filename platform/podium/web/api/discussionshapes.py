"""The shapes of discussions."""

from datetime import datetime

from pydantic import Field

from podium.web.api.shapes import Page, PageQuery, Shape

LONGEST_TEXT = 20_000  # the rule itself is in podium.discussion


class ThreadQuery(PageQuery):
    """Which threads."""

    search: str = Field("", max_length=100)


class Thread(Shape):
    """A thread in a list; `hidden` is the reason, and only staff sees hidden ones."""

    id: int
    title: str
    author: str | None
    is_staff: bool
    pinned: bool
    locked: bool
    hidden: str
    replies: int
    created_at: datetime
    last_at: datetime


class Threads(Page):
    """Pinned ones, then those that were written in last."""

    items: list[Thread]


class Post(Shape):
    """A post; `text` is Markdown, or null where it is deleted or hidden from the caller."""

    id: int
    author: str | None
    is_staff: bool
    is_mine: bool
    text: str | None
    html: str | None
    hidden: str
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None


class ThreadWithPosts(Thread):
    """A thread with its posts in their order."""

    posts: list[Post]


class Text(Shape):
    """What is written."""

    text: str = Field(max_length=LONGEST_TEXT)


class NewThread(Text):
    """A thread and its first post."""

    title: str = Field(max_length=300)


class Moderation(Shape):
    """What staff changes of a thread; `hidden` is a reason, or empty to show it again."""

    pinned: bool | None = None
    locked: bool | None = None
    hidden: str | None = Field(None, max_length=200)


class Reason(Shape):
    """Why a post is hidden; empty shows it again."""

    reason: str = Field(max_length=200)
