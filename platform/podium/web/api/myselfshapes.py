"""The shapes of what is one's own: address, password, sign-ins, notifications."""

from datetime import datetime

from pydantic import Field

from podium.web.api.shapes import Page, PageQuery, Shape

LONGEST_SECRET = 200


class Address(Shape):
    """An e-mail address."""

    email: str = Field(max_length=300)


class NewAddress(Address):
    """Another address, and the password of who asks for it."""

    password: str = Field(max_length=1000)


class Confirmation(Shape):
    """The secret that ends the link of a mail."""

    secret: str = Field(max_length=LONGEST_SECRET)


class NewPassword(Confirmation):
    """A new password, by the secret of a mail."""

    password: str = Field(max_length=1000)


class PasswordChange(Shape):
    """The password as it is and as it shall be."""

    old_password: str = Field(max_length=1000)
    new_password: str = Field(max_length=1000)


class Goodbye(Shape):
    """The password of who wants to be deleted."""

    password: str = Field(max_length=1000)


class SignIn(Shape):
    """A browser that the caller is signed in with."""

    id: int
    browser: str
    created_at: datetime
    seen_at: datetime


class SignIns(Shape):
    """All of them, the latest used first."""

    items: list[SignIn]


class NotificationQuery(PageQuery):
    """Which notifications."""

    unread: bool = False


class Notification(Shape):
    """One event that the caller was told of; `link` is a path of this site."""

    id: int
    kind: str
    text: str
    link: str
    created_at: datetime
    read_at: datetime | None


class Notifications(Page):
    """They, the latest first, and how many are unread."""

    items: list[Notification]
    unread: int


class ReadRequest(Shape):
    """Which notifications were read; null means all."""

    ids: list[int] | None = Field(None, max_length=1000)


class Unread(Shape):
    """How many are unread now."""

    unread: int


class Preferences(Shape):
    """How the caller is told of each kind: none, page, digest or mail."""

    kinds: dict[str, str]
