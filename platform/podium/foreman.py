"""The web as a run worker sees it: gives assignments, takes output and reports."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from podium.client import Answer, Client, persist, sha256_of
from podium.errors import FaultError
from podium.workers import Card

ATTEMPT = "Podium-Attempt"


class Foreman(Client):
    """Speaks for one run worker; what belongs to an attempt carries its token."""

    def arrive(self, card: Card) -> None:
        """Enter the list of workers."""
        said = asdict(card)
        persist(lambda: self._do("POST", "/work/workers", send=said))

    def leave(self, name: str) -> None:
        """Leave the list of workers."""
        self._do("DELETE", f"/work/workers/{name}")

    def take(self, card: Card) -> Answer | None:
        """An assignment, or None if nothing may begin now."""
        found = self._json("POST", "/work/assignments", send=_brief(card))["items"]
        return found[0] if found else None

    def beat(self, card: Card, token: str | None, log_tail: str | None) -> Answer:
        """One heartbeat: whether to drain, and whether the attempt is in force."""
        asked = {"card": _brief(card), "token": token, "log": log_tail}
        found: Answer = self._json("POST", "/work/beats", send=asked)
        return found

    def fetch(self, token: str, path: str, sha256: str, target: Path) -> Path:
        """Bring a file of the attempt here; FaultError if it arrives damaged."""
        self._fetch(f"/work/{path}", sha256, target, lambda _: None, _of(token))
        if sha256_of(target) != sha256:
            raise FaultError(f"{path} arrived damaged.")
        return target

    def bring_output(self, token: str, output: Path) -> None:
        """Send what the run wrote."""

        def send() -> None:
            with output.open("rb") as file:
                self._put(token, "output", file, output.stat().st_size)

        persist(send)

    def bring_replays(self, token: str, replays: bytes) -> None:
        """Send the replays of an agent's episodes, one behind the other."""
        persist(lambda: self._put(token, "replays", replays, len(replays)))

    def _put(self, token: str, what: str, body: BinaryIO | bytes, size: int) -> None:
        typed = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._do("PUT", f"/work/{what}", data=body, headers=_of(token) | typed)

    def report(self, token: str, said: dict[str, Any]) -> bool:
        """How the attempt ended; False if it was over already."""
        headers = _of(token)
        answer = persist(lambda: self._json("POST", "/work/report", send=said, headers=headers))
        return bool(answer["is_taken"])


def _brief(card: Card) -> dict[str, Any]:
    """The card without the packages, which are said once."""
    return {name: value for name, value in asdict(card).items() if name != "packages"}


def _of(token: str) -> dict[str, str]:
    return {ATTEMPT: token}
