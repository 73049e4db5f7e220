"""Files of a challenge's folder whose text travels in its record: metric.py and network.py.

They are few, small and public: students run what the server runs.
"""

from collections.abc import Callable, Iterator
from typing import Any

from podium_scoring import ChallengeError

METRIC, NETWORK = "metric.py", "network.py"
Read = Callable[[str], str | None]  # the text of a file of the folder; None if it is not there


def enclose(values: dict[str, Any], read: Read) -> None:
    """Put the texts where challenge.toml names the files; ChallengeError if one is not there.

    A text that is written into challenge.toml itself is not believed.
    """
    for table, file in _tables(values):
        table.pop("source", None)
        if table.get("file") == file:
            text = read(file)
            if text is None:
                raise ChallengeError(f"The folder has no {file}, which challenge.toml names.")
            table["source"] = text


def disclose(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Take the texts out again: each file's name and text."""
    for table, file in _tables(values):
        if source := table.pop("source", ""):
            yield file, source


def _tables(values: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The tables that may name such a file, whatever challenge.toml holds."""
    metric = values.get("metric")
    also = metric.get("also") if isinstance(metric, dict) else None
    for table in (metric, *(also if isinstance(also, list) else ())):
        if isinstance(table, dict):
            yield table, METRIC
    network: Any = values
    for key in ("run", "model", "network"):
        network = network.get(key) if isinstance(network, dict) else None
    if isinstance(network, dict):
        yield network, NETWORK
