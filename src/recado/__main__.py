"""`python -m recado`: the `recado` command."""

from recado.cli.main import main

main()
