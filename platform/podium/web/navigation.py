"""Where to go after a form: only ever to a page of ours."""

from urllib.parse import urlsplit

from flask import redirect
from werkzeug.wrappers import Response


def back_to(address: str | None, otherwise: str = "/") -> Response:
    """Go to an address that came with the request, if it is a path of this site."""
    return redirect(address if address and is_own(address) else otherwise, 303)


def is_own(address: str) -> bool:
    """Whether an address is a plain path here: `//host`, `/\\host` and `https:` are not.

    >>> [is_own(a) for a in ("/c/digits/?page=2", "//evil.example", "/\\\\evil.example", "x")]
    [True, False, False, False]
    """
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.startswith("/"):
        return False
    return not address.startswith("//") and "\\" not in address and address.isprintable()
