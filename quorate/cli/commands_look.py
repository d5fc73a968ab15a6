"""Commands that look: at the mesh, at this machine."""

from __future__ import annotations

import typer

from quorate.cli.exits import reported
from quorate.cli.options import HomeOption, JsonOption, home_of

app = typer.Typer()
PANEL = "Looking"


@app.command(rich_help_panel=PANEL, epilog="Example: quorate nodes --json")
def nodes(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the live nodes of the running mesh, their models and machines."""
    with reported(as_json=as_json):
        from quorate.cli import look as command

        command.nodes(home_of(home), as_json=as_json)


@app.command(rich_help_panel="Setting up", epilog="Example: quorate doctor")
def doctor(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Say what this machine has, what is missing, and the command that mends it.

    Exits with 1 when something essential is missing.
    """
    with reported(as_json=as_json):
        from quorate.cli import doctor as command

        code = command.examine(home_of(home), as_json=as_json)
    raise typer.Exit(code)


@app.command(rich_help_panel=PANEL, epilog="Example: quorate version")
def version() -> None:
    """Print the version."""
    import importlib.metadata

    typer.echo(importlib.metadata.version("quorate"))
