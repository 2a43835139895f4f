"""`python -m supervisor.cli` is `traind`."""

from supervisor.cli import main

main()
