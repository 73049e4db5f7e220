"""WHERE UNTRUSTED CODE IS CONFINED. Knows nothing of the rest of Podium, and may import none of it.

`run` takes a command to its end, `Sandbox` holds one open to talk to. Both say how it ended in an
`Outcome`. `selftest` says whether this machine can be trusted with either.
"""

from podium.sandbox.bubblewrap import Bubblewrap
from podium.sandbox.confinement import Sandbox, run
from podium.sandbox.container import Container
from podium.sandbox.job import Bind, Job
from podium.sandbox.limits import Limits
from podium.sandbox.outcome import Cause, Outcome, SandboxError
from podium.sandbox.runner import Runner
from podium.sandbox.selftest import Health, selftest

__all__ = [
    "Bind",
    "Bubblewrap",
    "Cause",
    "Container",
    "Health",
    "Job",
    "Limits",
    "Outcome",
    "Runner",
    "Sandbox",
    "SandboxError",
    "run",
    "selftest",
]
