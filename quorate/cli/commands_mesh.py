"""Commands that start and end a local mesh."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.exits import reported
from quorate.cli.options import HomeOption, InsecureOption, JsonOption, TopologyOption, home_of

app = typer.Typer()
PANEL = "A mesh on this machine"


@app.command(rich_help_panel=PANEL, epilog="Example: quorate up --topology mesh.yaml --detach")
def up(
    topology: TopologyOption = None,
    home: HomeOption = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once it is ready; `down` ends it.")
    ] = False,
    insecure: InsecureOption = False,
    supervise: Annotated[bool, typer.Option("--supervise", hidden=True)] = False,
) -> None:
    """Start a mesh on free loopback ports and keep it running until Ctrl-C.

    Certificates are made on first use. A service that ends by itself is started again. However
    this command ends, everything that it started ends with it.
    """
    with reported():
        from quorate.cli import up as command

        wanted = command.Wanted(home_of(home), topology, insecure)
        if detach:
            code = command.launch_detached(wanted)
        else:
            code = command.foreground(wanted, detached=supervise)
    raise typer.Exit(code)


@app.command(rich_help_panel=PANEL, epilog="Example: quorate down")
def down(home: HomeOption = None) -> None:
    """End the mesh: questions that are being answered are finished first."""
    with reported():
        from quorate.cli import status as command

        command.down(home_of(home))


@app.command(rich_help_panel=PANEL, epilog="Example: quorate status --json")
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show the processes of the mesh, their addresses and memory, its nodes and models."""
    with reported(as_json=as_json):
        from quorate.cli import status as command

        command.show(home_of(home), as_json=as_json)


@app.command(rich_help_panel=PANEL, epilog="Example: quorate demo")
def demo(
    home: Annotated[
        Path | None,
        typer.Option(help="Keep its files here.", show_default="a folder that is removed again"),
    ] = None,
) -> None:
    """Start a mesh, ask it three questions, show how it votes, and end it again."""
    with reported():
        from quorate.cli import demo as command

        code = command.run(home)
    raise typer.Exit(code)
