"""The only place that knows HTTP. Rules live in the services; here they are called and shown.

A view reads the request, calls one service, and shapes the answer; it decides nothing.
"""

from typing import cast

from flask import current_app

from podium.installation import Installation


def installation() -> Installation:
    """The installation that the current app serves."""
    return cast(Installation, current_app.extensions["podium"])
