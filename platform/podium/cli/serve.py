"""`podium web`: nothing is loaded that the server it becomes would load once more."""

import os
import sys

import click


@click.command()
def web() -> None:
    """Run the web server only (host and port from the settings)."""
    arguments = ["-P", "-m", "gunicorn", "-c", "python:podium.web.server"]
    os.execv(sys.executable, [sys.executable, *arguments])
