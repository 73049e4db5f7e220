"""The shapes of answers as typed dictionaries for `podium.client`, written from the description.

The client may not import the server, so its types are a file: `podium/client/answers.py`. A test
compares it with what is made here, and writes it with UPDATE_SNAPSHOTS=1.
"""

import re
import textwrap
from collections.abc import Mapping
from typing import Any

HEAD = '''"""The answers of the API as typed dictionaries.

Written from the API's description by `make references`; not by hand.
"""

from typing import Any, Literal, TypedDict

Moment = str  # ISO 8601 in UTC
'''
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
WIDTH = 100


def source(spec: Mapping[str, Any]) -> str:
    """The module: what answers with success hold and what changes take, by name."""
    schemas = spec["components"]["schemas"]
    wanted: dict[str, dict[str, Any]] = {}
    changes: dict[str, dict[str, Any]] = {}  # what is asked: keys that are left out stay
    for path, operations in spec["paths"].items():
        if path.startswith("/api/v1/work/"):
            continue  # between workers and the server, not for clients
        for method, operation in operations.items():
            if method in ("patch", "put"):
                _collect(operation.get("requestBody", {}), schemas, changes)
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    _collect(answer, schemas, wanted)
    shapes = {name: (schema, "") for name, schema in wanted.items()}
    shapes |= {
        name: (schema, ", total=False") for name, schema in changes.items() if name not in wanted
    }
    return HEAD + "".join(_class(name, *shapes[name]) for name in sorted(shapes))


def _collect(place: Any, schemas: dict[str, Any], wanted: dict[str, dict[str, Any]]) -> None:
    """Put every schema that is named in a place, and in those, into `wanted`."""
    if isinstance(place, list):
        for one in place:
            _collect(one, schemas, wanted)
    if not isinstance(place, dict):
        return
    if reference := place.get("$ref"):
        whole = reference.rpartition("/")[2]
        name = short(whole)
        if name not in wanted:
            wanted[name] = schemas[whole]
            _collect(schemas[whole], schemas, wanted)
    for one in place.values():
        _collect(one, schemas, wanted)


def _class(name: str, schema: dict[str, Any], total: str) -> str:
    lines = [f"\n\nclass {name}(TypedDict{total}):\n"]
    if text := schema.get("description"):
        first, _, rest = f'"""{text}"""'.partition("\n")
        first, _, rest = text.partition("\n")
        said = f'"""{first}\n{rest.rstrip()}\n"""\n' if rest else f'"""{first}"""\n'
        lines.append(textwrap.indent(said, "    "))
        lines.append("\n")
    for field, place in schema.get("properties", {}).items():
        lines.append(f"    {field}: {type_of(place)}\n")
    return "".join(lines)


def type_of(place: Mapping[str, Any]) -> str:
    """A schema as an annotation."""
    if reference := place.get("$ref"):
        return f'"{short(reference.rpartition("/")[2])}"'
    if "enum" in place:
        return f"Literal[{', '.join(map(_quoted, place['enum']))}]"
    if parts := place.get("anyOf"):
        return _union([type_of(part) for part in parts])
    if isinstance(kinds := place.get("type"), list):
        return _union([PLAIN[kind] for kind in kinds])
    if kinds == "array":
        if pair := place.get("prefixItems"):
            return f"list[{_union(list(dict.fromkeys(map(type_of, pair))))}]"
        return f"list[{type_of(place.get('items', {}))}]"
    if kinds == "object":
        values = place.get("additionalProperties")
        return f"dict[str, {type_of(values) if isinstance(values, dict) else 'Any'}]"
    if kinds == "string" and place.get("format") == "date-time":
        return "Moment"
    return PLAIN.get(kinds or "", "Any")


def _union(parts: list[str]) -> str:
    """One of several types; names in quotes are quoted as a whole."""
    text = " | ".join(parts)
    return f'"{text.replace(chr(34), "")}"' if '"' in text else text


def _quoted(value: object) -> str:
    return f'"{value}"'


def short(name: str) -> str:
    """A model's own name: the description puts the model around it before a point."""
    return re.sub(r"\W", "_", name.rpartition(".")[2])
