"""`python -m meshset` is the `meshset` command."""

from meshset.cli import main

main()
