"""Which page of a long list a reader asks for."""

from collections.abc import Sequence
from typing import TypeVar

from flask import request

Item = TypeVar("Item")


def page() -> int:
    """The number that the address names; the first where it names none."""
    return max(1, request.args.get("page", 1, type=int))


def cut(items: Sequence[Item], per_page: int) -> tuple[Sequence[Item], int, int]:
    """The items of the page that was asked for, or of the last; its number, and how many are."""
    pages = max(1, -(-len(items) // per_page))
    asked = min(page(), pages)
    return items[(asked - 1) * per_page : asked * per_page], asked, pages
