"""The way in which this installation confines submitted code, by its settings."""

from podium.config import Config
from podium.errors import ConfigError
from podium.sandbox import Bubblewrap, Container
from podium.sandbox.outcome import SandboxError
from podium.sandbox.runner import Runner


def confiner(config: Config) -> Runner:
    """The runner that the settings name; ConfigError if it is not whole or not here."""
    if config.sandbox == "bubblewrap":
        try:
            return Bubblewrap.here()
        except SandboxError as error:
            raise ConfigError(str(error)) from None
    if not config.sandbox_image:
        raise ConfigError(
            f"PODIUM_SANDBOX is {config.sandbox}, so PODIUM_SANDBOX_IMAGE must name an image."
        )
    return Container(config.sandbox, config.sandbox_image, config.sandbox_runtime or None)
