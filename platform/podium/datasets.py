"""Data of challenges: fetches pinned sources, prepares public and private files, verifies both."""

import hashlib
import importlib.util
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import requests
from numpy.typing import NDArray

from podium.catalog import Source, Spec
from podium.errors import FaultError
from podium_scoring import ChallengeError

Progress = Callable[[str, int, int], None]  # what, bytes there, bytes in all
Decoded = Mapping[str, NDArray[Any] | Sequence[str]]  # arrays, and columns of text

CHUNK = 1 << 18
TIMEOUT_S = 30

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedFile:
    """A file that was prepared for students."""

    name: str
    sha256: str
    size_bytes: int
    rows: int | None


@dataclass(frozen=True)
class Prepared:
    """A prepared challenge: `folder` holds public/ and private/, with the hidden `answers`.

    `hidden` are the files of private/ that runs read.
    """

    folder: Path
    files: tuple[PreparedFile, ...]
    hidden: tuple[PreparedFile, ...]
    truth_version: str
    answers: Path


def prepare(
    spec: Spec,
    challenge: Path,
    edition: str,
    seed: int,
    into: Path,
    *,
    cache: Path,
    progress: Progress = lambda *_: None,
    offline: bool = False,
) -> Prepared:
    """Make public/ and private/ of a challenge in the new folder `into`.

    The same seed gives the same bytes. What was decoded is compared with checksums.toml,
    whichever source gave them. `into` appears whole or not at all. `offline`: only what is in the
    folder or in the cache is used.
    """
    if into.exists():
        raise FaultError(f"{into} is there already. Name a folder that is not.")
    parts = spec.sources(edition)
    if not parts:
        raise ChallengeError(f"{spec.slug} has no {edition} edition.")
    files = {
        part: fetch(each, challenge, cache, progress, offline=offline)
        for part, each in parts.items()
    }
    with _of_the_host("decode"):
        module = recipe(challenge)
        decoded: Decoded = module.decode(files, edition)
    _verify(decoded, challenge / "checksums.toml", edition)
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".preparing-") as unfinished:
        folder = Path(unfinished) / "new"
        public, private = folder / "public", folder / "private"
        public.mkdir(parents=True)
        private.mkdir()
        with _of_the_host("prepare"):
            module.prepare(decoded, public, private, seed=seed)
        made = tuple(described(path) for path in sorted(public.iterdir()))
        missing = {file.name for file in spec.data.files} - {file.name for file in made}
        if missing:
            raise ChallengeError(f"prepare.py made no {', '.join(sorted(missing))}.")
        if spec.answers_file in spec.run.hidden:
            raise ChallengeError(f"{spec.answers_file} holds the answers: no run may read it.")
        try:
            hidden = tuple(described(private / name) for name in spec.run.hidden)
        except FileNotFoundError as error:
            raise ChallengeError(f"prepare.py made no {error.filename} for runs.") from None
        answers = (private / spec.answers_file).read_bytes()
        truth_version = f"{spec.slug}-{spec.version}-{hashlib.sha256(answers).hexdigest()[:12]}"
        manifest = {"truth_version": truth_version, "files": [asdict(file) for file in made]}
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
        os.replace(folder, into)
    return Prepared(into, made, hidden, truth_version, into / "private" / spec.answers_file)


@contextmanager
def _of_the_host(step: str) -> Iterator[None]:
    """What a challenge's own script raises is its host's fault, a full disk is not."""
    try:
        yield
    except (ChallengeError, OSError):
        raise
    except Exception as error:
        raise ChallengeError(f"prepare.py failed to {step}: {error!r}.") from error


def fetch(
    sources: list[Source],
    challenge: Path,
    cache: Path,
    progress: Progress,
    *,
    offline: bool = False,
) -> Path:
    """The first source that can be had, verified; FaultError that says what was tried."""
    tried = []
    for source in sources:
        try:
            return _had(source, challenge, cache, progress, offline)
        except (FaultError, OSError) as error:  # those of requests are OSErrors
            tried.append(f"{source.kind} {source.locator or source.file}: {_short(error)}")
    raise FaultError(
        "The data could not be fetched. Tried:\n  " + "\n  ".join(tried) + "\n"
        f"Check the network and run the command again: what has arrived is kept. Or put the file "
        f"{sources[-1].file} ({sources[-1].size_bytes:,} bytes) into {cache} by hand."
    )


def _had(source: Source, challenge: Path, cache: Path, progress: Progress, offline: bool) -> Path:
    """The verified file of one source; a damaged one in the cache is fetched anew."""
    if source.kind == "folder":
        local = challenge / source.file
        if not local.is_file():
            raise FaultError(f"{local.name} is not in the challenge's folder")
        _need_digest(local, source, keep=True)
        return local
    local = cache / source.file
    if local.is_file():
        try:
            _need_digest(local, source, keep=False)
            return local
        except FaultError as error:
            log.warning("%s %s: dropped, and fetched anew", local, error)
    if offline:
        raise FaultError("not fetched, because the setting `offline` is on")
    cache.mkdir(parents=True, exist_ok=True)
    _fetch(source, local, progress)
    return local


def _short(error: Exception) -> str:
    """What went wrong, without the inside of the HTTP library."""
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_S} seconds"
    if isinstance(error, requests.HTTPError):
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return str(error)


def _fetch(source: Source, target: Path, progress: Progress) -> None:
    """Download to `target`, resumed where an earlier try stopped; verified before it counts."""
    part = target.with_name(target.name + ".part")
    there = part.stat().st_size if part.is_file() else 0
    if there < source.size_bytes:
        headers = {"Range": f"bytes={there}-"} if there else {}
        with requests.get(_address(source), headers=headers, stream=True, timeout=TIMEOUT_S) as got:
            got.raise_for_status()
            resumed = got.status_code == 206
            there = there if resumed else 0
            with part.open("ab" if resumed else "wb") as out:
                for chunk in got.iter_content(CHUNK):
                    out.write(chunk)
                    there += len(chunk)
                    if there > source.size_bytes:
                        part.unlink()
                        raise FaultError(f"holds more than {source.size_bytes:,} bytes")
                    progress(source.file, there, source.size_bytes)
    _need_digest(part, source, keep=False)
    os.replace(part, target)


def _address(source: Source) -> str:
    """Where a source is: a package manager's own client knows its registry, this file does not."""
    name, _, version = source.locator.partition("==")
    match source.kind:
        case "url":
            return source.locator
        case "npm":
            return _ask("npm", "view", f"{name}@{version}", "dist.tarball").strip()
        case "deb":
            return _ask("apt-get", "download", "--print-uris", f"{name}={version}").split("'")[1]
        case _:
            options = ["--dry-run", "--no-deps", "--ignore-installed", "--only-binary", ":all:"]
            ask = [sys.executable, "-m", "pip", "install", "--quiet", *options, "--report", "-"]
            report = json.loads(_ask(*ask, source.locator))
            return str(report["install"][0]["download_info"]["url"])


def _ask(*command: str) -> str:
    """What a client answers; FaultError with its last words if it fails."""
    if shutil.which(command[0]) is None:
        raise FaultError(f"the program {command[0]!r} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode or not done.stdout.strip():
        words = (done.stderr.strip() or "it answered nothing").splitlines()[-1]
        raise FaultError(f"{Path(command[0]).name} failed: {words[:200]}")
    return done.stdout


def _need_digest(file: Path, source: Source, *, keep: bool) -> None:
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != source.sha256:
        if not keep:
            file.unlink()
        raise FaultError(f"has SHA-256 {found[:16]}…, expected {source.sha256[:16]}…")


def digest(values: NDArray[Any] | Sequence[str]) -> str:
    """SHA-256 of decoded data, as checksums.toml holds it.

    Of an array over type, shape and bytes; of texts over their number and each text's length in
    bytes before the text, so that no two columns look alike.
    """
    if isinstance(values, np.ndarray):
        head = f"{values.dtype.str} {values.shape} ".encode()
        return hashlib.sha256(head + np.ascontiguousarray(values).tobytes()).hexdigest()
    whole = hashlib.sha256(f"text {len(values)} ".encode())
    for text in values:
        encoded = text.encode()
        whole.update(f"{len(encoded)} ".encode() + encoded)
    return whole.hexdigest()


def _verify(decoded: Decoded, file: Path, edition: str) -> None:
    expected = tomllib.loads(file.read_text()).get(edition, {})
    found = {name: digest(values) for name, values in decoded.items()}
    if found != expected:
        wrong = sorted(name for name in found | expected if found.get(name) != expected.get(name))
        lines = "".join(f'\n{name} = "{found[name]}"' for name in wrong if name in found)
        raise ChallengeError(
            f"The decoded data differ from checksums.toml [{edition}]: {', '.join(wrong)}. If the "
            f"data are right and the file is not, these are their lines:{lines}"
        )


def described(path: Path) -> PreparedFile:
    """A file as its record: name, digest, size, and rows where it has some."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return PreparedFile(
        path.name, digest, path.stat().st_size, rows_of(path.name, path.read_bytes())
    )


def rows_of(name: str, content: bytes) -> int | None:
    """Rows of a CSV or of JSON Lines, or of the arrays of an npz where they agree."""
    if name.endswith(".jsonl"):
        return content.count(b"\n")
    if name.endswith(".csv"):
        return max(0, content.count(b"\n") - 1)
    if name.endswith(".npz"):
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            lengths = {len(arrays[name]) for name in arrays.files if arrays[name].ndim}
        return lengths.pop() if len(lengths) == 1 else None
    return None


def recipe(challenge: Path) -> ModuleType:
    """The module of a folder's prepare.py.

    It has `decode({part: file}, edition) -> decoded` and, pure, `prepare(decoded, public,
    private, *, seed)`.
    """
    file = challenge / "prepare.py"
    if not file.is_file():
        raise ChallengeError(f"{challenge.name} has no prepare.py.")
    name = f"podium_challenge_{challenge.name.replace('-', '_')}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
