"""The `meshset` command."""


def main() -> None:
    """Run the command line. Every command imports what it needs by itself, so that each starts fast."""
    from meshset.cli.app import run
    from meshset.cli.signals import stop_when_told

    stop_when_told()
    run()
