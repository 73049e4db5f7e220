"""Discussion of a competition: threads and posts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from podium.client.transport import Transport, part

if TYPE_CHECKING:
    from podium.client import answers


class Discussion(Transport):
    """Routes of threads."""

    def threads(self, slug: str, *, search: str = "") -> Iterator[answers.Thread]:
        """The threads, pinned ones first, then those that were written in last."""
        return self._pages(f"/competitions/{part(slug)}/threads", {"search": search})

    def thread(self, slug: str, thread_id: int) -> answers.ThreadWithPosts:
        """A thread with its posts."""
        return self._json("GET", f"/competitions/{part(slug)}/threads/{thread_id}")

    def begin_thread(self, slug: str, title: str, text: str) -> answers.ThreadWithPosts:
        """Begin a thread; the text is Markdown."""
        path = f"/competitions/{part(slug)}/threads"
        return self._json("POST", path, send={"title": title, "text": text})

    def reply(self, slug: str, thread_id: int, text: str) -> answers.Post:
        """Answer in a thread."""
        path = f"/competitions/{part(slug)}/threads/{thread_id}/posts"
        return self._json("POST", path, send={"text": text})

    def edit_post(self, slug: str, post_id: int, text: str) -> answers.Post:
        """Change a post of one's own."""
        path = f"/competitions/{part(slug)}/threads/posts/{post_id}"
        return self._json("PATCH", path, send={"text": text})

    def delete_post(self, slug: str, post_id: int) -> None:
        """Take back a post of one's own."""
        self._do("DELETE", f"/competitions/{part(slug)}/threads/posts/{post_id}")

    def hide_post(self, slug: str, post_id: int, reason: str) -> answers.Post:
        """Hide a post with a reason, or (empty) show it again: for staff."""
        path = f"/competitions/{part(slug)}/threads/posts/{post_id}/hide"
        return self._json("POST", path, send={"reason": reason})

    def moderate(
        self,
        slug: str,
        thread_id: int,
        *,
        pinned: bool | None = None,
        locked: bool | None = None,
        hidden: str | None = None,
    ) -> answers.ThreadWithPosts:
        """Pin, close or hide a thread: for staff. `hidden` is a reason; empty shows it again."""
        path = f"/competitions/{part(slug)}/threads/{thread_id}"
        asked = {"pinned": pinned, "locked": locked, "hidden": hidden}
        return self._json("PATCH", path, send=asked)
