"""The command line, `quorate …`: thin over the client and the services."""

from __future__ import annotations


def main() -> None:
    """Run the command that the user typed."""
    from quorate.cli.app import app

    app(prog_name="quorate")
