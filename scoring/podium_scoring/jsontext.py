"""JSON from strangers: strict, with what is wrong in words."""

import json
from typing import Any

from podium_scoring.faults import LONGEST_SHOWN

BLANKS = " \t\r\n"
MOST_TOLD = 8  # parts of a list that is quoted


class JSONFault(ValueError):
    """A text that is no JSON, or none that is taken: `expected` and `got` say why, `at` where."""

    def __init__(self, expected: str, got: str, at: int = 0) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = expected
        self.got = got
        self.at = at


class Pairs(tuple[tuple[str, Any], ...]):
    """An object as its pairs of key and value, in order: double keys stay visible."""

    __slots__ = ()


def _refuse_constant(name: str) -> None:
    raise JSONFault("finite numbers", name)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=Pairs)


def parse_prefix(text: str, start: int = 0) -> tuple[Any, int]:
    """The value that begins at a place of the text, and where it ends; objects are Pairs.

    JSONFault for what is no JSON, NaN and Infinity, numbers of thousands of digits and brackets
    hundreds deep.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        said = f"JSON ({error.msg}, character {error.pos + 1})"
        raise JSONFault(said, _near(text, error.pos), error.pos) from None
    except JSONFault:
        raise
    except ValueError:  # Python reads no integer of more than 4,300 digits
        raise JSONFault("numbers of fewer digits", "a number of thousands of digits") from None
    except RecursionError:
        raise JSONFault("brackets a few deep", "hundreds inside one another", start) from None
    return value, end


def parse(text: str) -> Any:
    """The one value of a text, blanks around it; JSONFault as `parse_prefix`, and for more."""
    start = len(text) - len(text.lstrip(BLANKS))
    value, end = parse_prefix(text, start)
    if text[end:].strip(BLANKS):
        raise JSONFault("the end after one value", _near(text, end), end)
    return value


def told(value: Any) -> str:
    """A value as messages quote it: as JSON, so that text and numbers look different."""
    if isinstance(value, Pairs):
        return "an object"
    if isinstance(value, list) and (len(value) > MOST_TOLD or any(map(_is_nested, value))):
        return f"a list of {len(value)}"
    text = json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace").decode()
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _near(text: str, place: int) -> str:
    rest = text[place : place + 20]
    return repr(rest) if rest else "the end"
