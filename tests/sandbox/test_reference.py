"""The reference page of the sandbox says what the code does."""

from dataclasses import fields
from pathlib import Path

from podium.sandbox import Limits
from podium.sandbox.bundle import BundleLimits
from podium.sandbox.onnxfile import Requirements

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "sandbox.md").read_text()


def test_every_limit_is_listed_with_its_default():
    rows = [line for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 5]
    listed = {row.split("|")[1].strip(" `"): float(row.split("|")[2]) for row in rows}
    assert listed == {field.name: field.default for field in fields(Limits)}


def test_the_limits_of_bundles_and_models_are_as_said():
    bundle, (oldest, newest) = BundleLimits(), Requirements((), ()).opset
    assert f"{bundle.files} files, {bundle.total_mib} MiB or {bundle.ratio} times" in PAGE
    assert f"opset {oldest} to {newest}" in PAGE
