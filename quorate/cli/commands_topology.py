"""`quorate topology …`: which nodes run which models."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.exits import Exit, reported
from quorate.errors import ConfigurationError, QuorateError

app = typer.Typer(no_args_is_help=True, help="Show, check and import topology files.")


@app.command(epilog="Example: quorate topology show > mesh.yaml")
def show() -> None:
    """Print the built-in topology, to start from."""
    from quorate import topology

    typer.echo(topology.default_text(), nl=False)


@app.command(epilog="Example: quorate topology check mesh.yaml")
def check(file: Annotated[Path, typer.Argument(help="Topology file (YAML).")]) -> None:
    """Read a topology file and its models as `up` would, and say what is wrong."""
    with reported():
        from quorate import models, topology
        from quorate.models import gguf

        read = topology.read(file)
        problems = []
        for node in read.nodes:
            for model in node.models:
                if model.backend != "llama.cpp":
                    continue  # the file is the server's, which need not be there yet
                try:
                    gguf.read_header(models.resolve(model))
                except QuorateError as error:
                    problems.append(f"{node.name}: {error.message}")
        if problems:
            raise ConfigurationError(f"{file}: " + "; ".join(problems))
        count = sum(len(node.models) for node in read.nodes)
        typer.echo(f"{file} is right. Nodes: {len(read.nodes)}, models: {count}.")


@app.command("import", epilog="Example: quorate topology import topology.json --out mesh.yaml")
def import_(
    file: Annotated[Path, typer.Argument(help="DELLM's topology.json.")],
    out: Annotated[Path | None, typer.Option(help="Write it here.", show_default="stdout")] = None,
) -> None:
    """Turn the topology.json of DELLM into a topology file.

    Clusters become groups, fitness becomes weight and reliability, the superllm merges. What was
    ignored or changed, and model files that do not exist, are told on stderr.
    """
    with reported():
        from quorate import topology
        from quorate.cli import predecessor

        imported = predecessor.convert(_read_json(file), file.absolute().parent, str(file))
        text = topology.to_yaml(imported.topology)
        if out:
            out.write_text(text, encoding="utf-8")
        else:
            sys.stdout.write(text)
        for note in imported.notes:
            typer.echo(f"note: {note}", err=True)
        for key in imported.ignored:
            typer.echo(f"ignored: {key}", err=True)
        missing = topology.missing_files(imported.topology)
        for path in missing:
            typer.echo(f"missing: {path} does not exist; correct its path before `up`", err=True)
    raise typer.Exit(Exit.OK)


def _read_json(file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{file} is not JSON: {error}") from error
