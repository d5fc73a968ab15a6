"""`quorate models …`: what there is, what is on disk, bring, check, remove, and what fits."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli.exits import Exit, reported
from quorate.cli.options import HomeOption, JsonOption, home_of

app = typer.Typer(
    help="Show, bring, check and remove models, and propose a set that fits this machine.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
NAMES = "As `quorate models list` shows them; spelling does not matter: Llama-3.2-3B."
PRESETS = "auto_fast, fast or heavy: how much memory, and how fast each model must be."
NamesArgument = Annotated[list[str], typer.Argument(help=NAMES, show_default=False)]


@app.callback(invoke_without_command=True)
def _alone(context: typer.Context, as_json: JsonOption = False, home: HomeOption = None) -> None:
    given = context.get_parameter_source
    if context.invoked_subcommand is None:
        list_(as_json, home)
    elif as_json or str(given("home")).endswith("COMMANDLINE"):
        raise typer.BadParameter(
            f"write options behind: quorate models {context.invoked_subcommand}"
        )


@app.command("list", epilog="Example: quorate models list")
def list_(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the pocket models, the catalogue and which of it is on disk, and the running mesh's.

    `quorate models` alone does the same. Memory is that of one slot of 4096 tokens. Where the
    catalogue tells no checksum, the one that the hub tells at the first pull is kept.
    """
    with reported(as_json=as_json):
        from quorate.cli import models_list as command

        command.show(home_of(home), as_json=as_json)


@app.command(epilog="Example: quorate models mesh --json")
def mesh(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the models of the running mesh, node by node."""
    with reported(as_json=as_json):
        from quorate.cli import models_list as command

        command.mesh(home_of(home), as_json=as_json)


@app.command(epilog="Example: quorate models pull Llama-3.2-3B Qwen2.5-3B")
def pull(
    models: Annotated[
        list[str],
        typer.Argument(
            help="Names of the catalogue, or hf:OWNER/REPOSITORY/FILE.gguf[@REVISION].",
            show_default=False,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(help="What to call a hf: model here.", show_default="after its file"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring models from the Hugging Face hub, checked by SHA-256, into $QUORATE_DATA/models.

    What is interrupted, also by Ctrl-C, goes on with the next pull. HF_TOKEN and HF_ENDPOINT are
    honoured. A topology then names the model without a path.
    """
    with reported(as_json=as_json):
        from quorate.cli import models_pull as command

        command.pull(models, name, as_json=as_json)


@app.command(epilog="Example: quorate models verify")
def verify(
    models: Annotated[
        list[str] | None, typer.Argument(help=NAMES, show_default="all that are on disk")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check size, SHA-256 and header of models on disk, also of files copied there by hand.

    Exits with 1 when one is not as it must be.
    """
    with reported(as_json=as_json):
        from quorate.cli import models_disk as command

        right = command.verify(models or [], as_json=as_json)
    raise typer.Exit(Exit.OK if right else Exit.FAILED)


@app.command(epilog="Example: quorate models rm Llama-3.2-3B --yes")
def rm(
    models: NamesArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Remove models from disk, and what is left of interrupted pulls.

    Refused while the running mesh uses one.
    """
    with reported(as_json=as_json):
        from quorate.cli import models_disk as command

        command.remove(models, home_of(home), sure=yes, as_json=as_json)


@app.command(epilog="Example: quorate models fit --preset auto_fast --nodes 2 --out mesh.yaml")
def fit(
    preset: Annotated[str, typer.Option(help=PRESETS)] = "auto_fast",
    memory: Annotated[
        str | None,
        typer.Option(help="Memory for models, like 8GiB.", show_default="a share of what is free"),
    ] = None,
    vram: Annotated[
        str | None,
        typer.Option(help="Memory of accelerators, like 6GiB.", show_default="what is free"),
    ] = None,
    nodes: Annotated[int, typer.Option(min=1, max=16, help="Nodes on this machine.")] = 1,
    models_per_node: Annotated[int, typer.Option(min=1, max=8, help="At most so many.")] = 2,
    context: Annotated[
        int, typer.Option(min=64, max=2**20, help="Tokens of context of each model.")
    ] = 4096,
    installed: Annotated[
        bool, typer.Option("--installed", help="Only from models that are on disk.")
    ] = False,
    pull_: Annotated[
        bool, typer.Option("--pull", help="Bring those that are not on disk.")
    ] = False,
    out: Annotated[
        str | None, typer.Option(help="Write a topology here.", show_default="only shown")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose the best set of models for this machine's memory: strong, diverse, fast enough.

    The choice is exact and depends on nothing but its inputs; docs/operations.md has the formula.
    `quorate up --topology FILE` runs what --out wrote.
    """
    with reported(as_json=as_json):
        from quorate.cli import models_fit as fitting

        asked = fitting.Asked(
            preset, memory, vram, nodes, models_per_node, context, installed, pull_, out
        )
        fitting.fit(asked, as_json=as_json)
