import stat
from pathlib import Path

import pytest

from podium.config import Config
from podium.errors import ConfigError

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    import os

    for name in os.environ:
        if name.startswith("PODIUM_"):
            monkeypatch.delenv(name)


def test_everything_has_a_default_in_the_home(tmp_path):
    config = Config.load(tmp_path)
    assert config.database == f"sqlite:///{tmp_path}/podium.db"
    assert config.storage == f"file://{tmp_path}/files"
    assert config.redis == f"unix://{tmp_path}/run/valkey.sock"
    assert config.url == "http://127.0.0.1:8000"


def test_given_beats_environment_beats_file_beats_default(tmp_path, monkeypatch):
    (tmp_path / "podium.toml").write_text("port = 1000\nweb_threads = 3\nlease_s = 4.5\n")
    monkeypatch.setenv("PODIUM_PORT", "2000")
    monkeypatch.setenv("PODIUM_WEB_THREADS", "5")
    config = Config.load(tmp_path, port=3000)
    assert (config.port, config.web_threads, config.lease_s) == (3000, 5, 4.5)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("DATABSE_URL", "Did you mean 'database_url'"), ("COLOUR", "lists all")],
)
def test_an_unknown_setting_is_refused_with_the_nearest(tmp_path, monkeypatch, name, hint):
    monkeypatch.setenv(f"PODIUM_{name}", "x")
    with pytest.raises(ConfigError, match=hint):
        Config.load(tmp_path)


def test_a_value_of_the_wrong_form_is_shown_with_its_meaning(tmp_path, monkeypatch):
    monkeypatch.setenv("PODIUM_PORT", "eighty")
    with pytest.raises(ConfigError, match=r"'port' is 'eighty'.*Port the web server listens on"):
        Config.load(tmp_path)


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "podium.toml").write_text("port = \n")
    with pytest.raises(ConfigError, match=r"podium.toml is not valid TOML"):
        Config.load(tmp_path)


def test_the_signing_key_is_made_once_for_its_owner_only(tmp_path):
    key = Config.load(tmp_path).secret()
    assert len(key) >= 48
    assert Config.load(tmp_path).secret() == key
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_a_long_path_of_the_home_gets_a_short_socket(tmp_path):
    home = tmp_path / ("x" * 120)
    assert len(str(Config.load(home).valkey_socket)) < 100


def test_the_reference_lists_every_setting_as_the_code_has_it():
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    rows = [
        f"| `PODIUM_{name.upper()}` | `{field.default}` | {field.description} |"
        for name, field in Config.model_fields.items()
        if name != "home"
    ]
    missing = [row for row in rows if row not in page]
    assert missing == []
