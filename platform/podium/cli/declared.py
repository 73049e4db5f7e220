"""`--set NAME=VALUE`: what a value means follows from the type that the API declares."""

import difflib
import types
import typing
from collections.abc import Iterable
from typing import Any

import click

Shape = typing.TypeVar("Shape")


def values(settings: Iterable[str], shape: type[Shape]) -> Shape:
    """The settings as a shape of the API takes them; an empty value is none where that is one."""
    declared = typing.get_type_hints(shape)
    found: dict[str, Any] = {}
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not separator:
            raise click.UsageError(f"{setting!r} is no NAME=VALUE.")
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(declared)}."
            raise click.UsageError(f"There is no setting {name!r}. {hint}")
        found[name] = _value(name, text, _kinds(declared[name]))
    return typing.cast(Shape, found)


def _kinds(declared: Any) -> tuple[Any, ...]:
    """The types of a union, or the one."""
    is_union = typing.get_origin(declared) in (typing.Union, types.UnionType)
    return typing.get_args(declared) if is_union else (declared,)


def _value(name: str, text: str, kinds: tuple[Any, ...]) -> Any:
    if text == "" and type(None) in kinds:
        return None
    if bool in kinds:
        if text not in ("true", "false"):
            raise click.UsageError(f"{name} is true or false, and {text!r} is neither.")
        return text == "true"
    if int in kinds:
        if not text.removeprefix("-").isdecimal():
            raise click.UsageError(f"{name} is a whole number, and {text!r} is none.")
        return int(text)
    if any(typing.get_origin(kind) is list for kind in kinds):
        return [one for one in text.split(",") if one]
    return text
