"""`python -m bots` is `kinora`."""

from bots.cli import main

main()
