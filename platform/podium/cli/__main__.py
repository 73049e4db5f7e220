"""`python -m podium.cli`, as the supervisor starts its parts."""

from podium.cli import main

main(prog_name="podium")
