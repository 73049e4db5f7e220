"""The settings of an installation: one table, read once, unknown names refused."""

import difflib
import hashlib
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from podium import paths
from podium.errors import ConfigError

PREFIX = "PODIUM_"
# Read elsewhere, before or beside this table: the home itself and the client's two.
OUTSIDE_THE_TABLE = frozenset({"HOME", "URL", "TOKEN"})
HIDDEN = "•••"  # instead of a secret
SECRET_WORDS = ("secret", "password", "passwd", "token", "key", "pwd", "sig")
LONGEST_SOCKET_PATH = 100  # the kernel allows 107 bytes


class Shown(NamedTuple):
    """A setting as people see it."""

    name: str
    value: str
    help: str
    is_changed: bool


class Config(BaseModel):
    """Every setting with its default; `PODIUM_<NAME>` or a key of `podium.toml` in the home."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Field(description="Folder of all state of this installation.")
    database_url: str = Field(
        "", description="SQLAlchemy URL; empty: SQLite in the home. `postgresql://…` scales."
    )
    redis_url: str = Field(
        "", description="Redis or Valkey server; empty: `podium up` runs its own Valkey."
    )
    storage_url: str = Field(
        "", description="`file:///…` or `s3://bucket/prefix`; empty: a folder in the home."
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the web server listens on.")
    base_url: str = Field("", description="Public address, as in links; empty: host and port.")
    secret_key: str = Field(
        "", description="Signs cookies and tokens; empty: made once and kept in the home."
    )
    web_processes: int = Field(2, ge=1, le=64, description="Web processes.")
    web_threads: int = Field(8, ge=1, le=256, description="Threads of each web process.")
    score_workers: int = Field(1, ge=0, le=64, description="Score workers of `podium up`.")
    run_workers: int = Field(1, ge=0, le=64, description="Run workers of `podium up`.")
    match_workers: int = Field(
        1, ge=0, le=64, description="Workers of `podium up` that play agents against each other."
    )
    warm_sandboxes: int = Field(
        1,
        ge=0,
        le=64,
        description="Sandboxes that each run worker keeps ready with torch imported; 0: none.",
    )
    warm_mib: int = Field(
        1024, ge=1, description="Memory in MiB that those of one worker may hold together."
    )
    sandbox: Literal["bubblewrap", "podman", "docker"] = Field(
        "bubblewrap", description="What confines submitted code on run workers."
    )
    sandbox_image: str = Field(
        "", description="Image with Python and the packages, for podman and docker."
    )
    sandbox_runtime: str = Field(
        "", description="Another runtime of podman or docker; `runsc` is gVisor."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=8, description="Reverse proxies in front whose X-Forwarded headers count."
    )
    upload_mib: int = Field(
        512, ge=1, description="Largest request body in MiB; a competition may allow less."
    )
    lease_s: float = Field(10.0, gt=0, description="Seconds after which a silent attempt is lost.")
    heartbeat_s: float = Field(2.0, gt=0, description="Seconds between a worker's heartbeats.")
    reconcile_s: float = Field(1.0, gt=0, description="Seconds between passes of the reconciler.")
    max_attempts: int = Field(3, ge=1, le=10, description="Tries before `error`, if it is ours.")
    login_limit: str = Field(
        "10 per minute", description="Sign-ins and token requests per handle and address."
    )
    address_limit: str = Field(
        "300 per minute",
        description="Sign-ins, sign-ups and token requests per address: a class behind one "
        "address signs up together.",
    )
    api_limit: str = Field("1200 per minute", description="Requests per account or address.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Log lines: `text` for people, `json` for machines."
    )
    practice_baselines: int = Field(
        100,
        ge=0,
        description="Practice competitions, in their order, whose baselines `podium up` trains.",
    )
    offline: bool = Field(
        False, description="Never fetch data: only what travels with Podium or lies in `sources`."
    )
    retention_days: int = Field(
        0,
        ge=0,
        le=3650,
        description="Days after which files of submissions that count for nothing are deleted; "
        "0: never.",
    )
    retention_scored: bool = Field(
        False,
        description="After those days also delete what was scored, is on no board, and is needed "
        "for a rescoring only.",
    )
    mail_url: str = Field(
        "",
        description="Mail server: `smtp://user:password@host:587` or `smtps://host:465`; empty: "
        "mails are written to the folder `mail` in the home, and the log says so.",
    )
    mail_from: str = Field(
        "Podium <podium@localhost>", description="Sender of mails, as in their From line."
    )
    confirm_addresses: bool = Field(
        False,
        description="Nobody joins, submits or writes before the e-mail address is confirmed; "
        "needs PODIUM_MAIL_URL.",
    )
    oidc_issuer: str = Field(
        "", description="OpenID provider that people may sign in by, as its issuer; empty: none."
    )
    oidc_client_id: str = Field("", description="What the provider calls this installation.")
    oidc_client_secret: str = Field(
        "", description="The secret it gave to it; empty for a public client, which PKCE protects."
    )
    oidc_name: str = Field(
        "your university account", description="What people read after “Sign in with”."
    )
    oidc_only: bool = Field(
        False, description="Nobody signs in or up by a password, only by the provider."
    )
    session_days: int = Field(30, ge=1, description="Days a sign-in lasts.")

    @classmethod
    def load(cls, home: Path | None = None, **given: Any) -> Self:
        """Settings from, in rising rank: defaults, `podium.toml`, environment, `given`."""
        home = (home or paths.default_home()).expanduser().resolve()
        values: dict[str, Any] = _from_file(home / "podium.toml")
        values |= _from_environment(os.environ)
        values |= {name: value for name, value in given.items() if value is not None}
        values["home"] = home
        for name in values:
            if name not in cls.model_fields:
                raise ConfigError(f"There is no setting {name!r}.{_suggest(name, cls)}")
        try:
            config = cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            raise ConfigError(
                f"Setting {name!r} is {first['input']!r}: {first['msg']}. "
                f"It means: {cls.model_fields[name].description}"
            ) from None
        if config.confirm_addresses and not config.mail_url:
            raise ConfigError(
                "PODIUM_CONFIRM_ADDRESSES needs PODIUM_MAIL_URL: without mail nobody could confirm "
                "an address."
            )
        if bool(config.oidc_issuer) != bool(config.oidc_client_id):
            raise ConfigError("PODIUM_OIDC_ISSUER and PODIUM_OIDC_CLIENT_ID need each other.")
        if config.oidc_only and not config.oidc_issuer:
            raise ConfigError("PODIUM_OIDC_ONLY needs PODIUM_OIDC_ISSUER: nobody could sign in.")
        return config

    @property
    def database(self) -> str:
        """The database URL in force."""
        return self.database_url or f"sqlite:///{self.home / 'podium.db'}"

    @property
    def storage(self) -> str:
        """The storage URL in force."""
        return self.storage_url or (self.home / "files").as_uri()

    @property
    def valkey_socket(self) -> Path:
        """The embedded Valkey's socket; in the temporary folder where the home's path is long."""
        socket = self.home / "run" / "valkey.sock"
        if len(str(socket)) <= LONGEST_SOCKET_PATH:
            return socket
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"podium-{os.getuid()}-{digest}" / "valkey.sock"

    @property
    def redis(self) -> str:
        """The Redis URL in force."""
        return self.redis_url or f"unix://{self.valkey_socket}"

    @property
    def url(self) -> str:
        """The address people use, without a slash at the end."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")

    @classmethod
    def helps(cls) -> Iterator[str]:
        """What each setting means."""
        return (field.description or "" for field in cls.model_fields.values())

    def shown(self) -> Iterator[Shown]:
        """Every setting for people to read; whatever is secret in it is hidden."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            default = None if field.is_required() else field.default
            yield Shown(name, _masked(name, value), field.description or "", value != default)

    def secret(self) -> str:
        """The signing key: the setting, else one made at the first use and kept in the home."""
        if self.secret_key:
            return self.secret_key
        file = self.home / "secret-key"
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return file.read_text().strip()
        with os.fdopen(handle, "w") as out:
            out.write(key := secrets.token_urlsafe(48))
        return key


def _from_file(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}.") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    named = (name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX))
    return {n.lower(): environ[PREFIX + n] for n in named if n not in OUTSIDE_THE_TABLE}


def _suggest(name: str, table: type[BaseModel]) -> str:
    near = difflib.get_close_matches(name.lower(), table.model_fields, n=1)
    return f" Did you mean {near[0]!r}?" if near else " `docs/reference/settings.md` lists all."


def _masked(name: str, value: object) -> str:
    """A setting's value without a secret: neither a key nor what an address carries of one.

    >>> _masked("database_url", "postgresql://podium:hunter2@db/podium?sslmode=require&password=x")
    'postgresql://podium:•••@db/podium?sslmode=require&password=•••'
    >>> _masked("redis_url", "redis://:hunter2@cache:6379/0"), _masked("secret_key", "abc")
    ('redis://:•••@cache:6379/0', '•••')
    >>> _masked("secret_key", ""), _masked("port", 8000), _masked("storage_url", "s3://bucket/x")
    ('', '8000', 's3://bucket/x')
    """
    text = str(value)
    if not text:
        return ""
    if any(word in name for word in SECRET_WORDS):
        return HIDDEN
    if "://" not in text:
        return text
    # By hand and not by urlsplit: what it refuses must not be shown as it is.
    scheme, rest = text.split("://", 1)
    ends = re.search(r"[/?#]", rest.rpartition("@")[2])
    tail = rest.rpartition("@")[2]
    login = rest.rpartition("@")[0]
    host = tail if ends is None else tail[: ends.start()]
    query = "" if ends is None else tail[ends.start() :]
    shown = ""
    if login:
        user, colon, _ = login.partition(":")
        shown = f"{user}{colon}{HIDDEN if colon else ''}@"
    query = re.sub(
        rf"(?i)([?&;][^=&;]*(?:{'|'.join(SECRET_WORDS)})[^=&;]*=)[^&;#]*", rf"\1{HIDDEN}", query
    )
    return f"{scheme}://{shown}{host}{query}"
