"""Who calls: tokens, sign-ins, what is one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from podium.client.transport import Transport, part, save

if TYPE_CHECKING:
    from podium.client import answers


class Account(Transport):
    """Routes of people and tokens."""

    def sign_up(self, handle: str, email: str, password: str) -> answers.User:
        """A new account."""
        asked = {"handle": handle, "email": email, "password": password}
        return self._json("POST", "/users", send=asked)

    def me(self) -> answers.Me:
        """Who is calling."""
        return self._json("GET", "/me")

    def speak(self, language: str | None) -> None:
        """Choose the language of one's pages and mails; None is what the browser prefers."""
        self._do("PUT", "/me/language", send={"language": language})

    def create_token(
        self,
        handle: str,
        password: str,
        *,
        name: str = "API",
        scopes: list[str] | None = None,
        days: int | None = 365,
    ) -> answers.NewToken:
        """A new token for handle and password; its text is under `token`, this once."""
        asked = {
            "handle": handle,
            "password": password,
            "name": name,
            "scopes": scopes,
            "days": days,
        }
        return self._json("POST", "/tokens", send=asked)

    def tokens(self) -> list[answers.Token]:
        """The own working tokens, newest first."""
        return self._items("/tokens")

    def revoke_token(self, token_id: int) -> None:
        """End one of the own tokens."""
        self._do("DELETE", f"/tokens/{token_id}")

    def sign_ins(self) -> list[answers.SignIn]:
        """The browsers that one is signed in with, the latest used first."""
        return self._items("/me/sign-ins")

    def end_sign_in(self, sign_in_id: int) -> None:
        """Sign out of one browser."""
        self._do("DELETE", f"/me/sign-ins/{sign_in_id}")

    def end_sign_ins(self) -> None:
        """Sign out of every browser; tokens stay."""
        self._do("DELETE", "/me/sign-ins")

    def change_password(self, old: str, new: str) -> None:
        """Change the password; sign-ins by browser end, tokens stay."""
        self._do("POST", "/me/password", send={"old_password": old, "new_password": new})

    def forgot_password(self, email: str) -> None:
        """Let a link to a new password be mailed."""
        self._do("POST", "/password-resets", send={"email": email})

    def reset_password(self, secret: str, password: str) -> None:
        """Set a new password by the secret of a mail."""
        self._do("POST", "/passwords", send={"secret": secret, "password": password})

    def change_address(self, email: str, password: str) -> answers.User:
        """Use another address, once it is confirmed where mail is sent."""
        return self._json("POST", "/me/address", send={"email": email, "password": password})

    def ask_address_again(self) -> None:
        """Let the link that confirms the own address be mailed once more."""
        self._do("POST", "/me/address/again")

    def confirm_address(self, secret: str) -> answers.User:
        """Confirm an address by the secret of a mail."""
        return self._json("POST", "/me/address/confirm", send={"secret": secret})

    def export_me(self, out: Path) -> Path:
        """Write a zip of all that the server knows of the caller."""
        save(out, lambda file: self._stream("/me/export", file, lambda _: None))
        return out

    def delete_me(self, password: str) -> None:
        """Delete the own account; there is no way back."""
        self._do("POST", "/me/deletion", send={"password": password})

    def notifications(self, *, unread: bool = False) -> Iterator[answers.Notification]:
        """What one was told, the latest first."""
        return self._pages("/me/notifications", {"unread": unread})

    def read_notifications(self, ids: list[int] | None = None) -> answers.Unread:
        """Mark these as read, or (None) all."""
        return self._json("POST", "/me/notifications/read", send={"ids": ids})

    def preferences(self) -> dict[str, str]:
        """How one is told of each kind: none, page, digest or mail."""
        return self._json("GET", "/me/notifications/preferences")["kinds"]

    def prefer(self, kinds: dict[str, str]) -> dict[str, str]:
        """Change that for the kinds that are named."""
        return self._json("PATCH", "/me/notifications/preferences", send={"kinds": kinds})["kinds"]

    def seasons(self) -> list[str]:
        """The names of the seasons, the latest first."""
        return self._items("/seasons")

    def season(self, name: str) -> Iterator[answers.SeasonStanding]:
        """The people of a season by their points of today."""
        return self._pages(f"/seasons/{part(name)}")

    def person(self, handle: str) -> answers.Profile:
        """The final boards that a person stands on."""
        return self._json("GET", f"/people/{part(handle)}")
