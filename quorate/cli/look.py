"""`quorate nodes`, `quorate models` and `quorate strategies`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from quorate.cli import tables, terminal
from quorate.cli.status import node_data
from quorate.client import Client, local_mesh
from quorate.errors import QuorateError
from quorate.models import gguf, pocket_models

CALL_SECONDS = 10.0


def nodes(home: Path, *, as_json: bool) -> None:
    """Print the live nodes; raises NoMesh."""
    with Client.from_mesh(home, CALL_SECONDS) as client:
        listed = client.nodes()
    if as_json:
        terminal.print_json({"nodes": [node_data(node) for node in listed]})
        return
    terminal.console().print(tables.nodes(listed))


def strategies(home: Path, *, as_json: bool) -> None:
    """Print the voting strategies of the running mesh; raises NoMesh."""
    with Client.from_mesh(home, CALL_SECONDS) as client:
        listed = client.strategies()
    if as_json:
        data = [dataclasses.asdict(strategy) for strategy in listed]
        terminal.print_json({"strategies": data})
        return
    terminal.console().print(tables.strategies(listed))


def models(home: Path, *, as_json: bool) -> None:
    """Print the pocket models, and those of the mesh when one is running."""
    pocket = [_pocket(name, path) for name, path in sorted(pocket_models().items())]
    listed = []
    if local_mesh.find(home):
        with Client.from_mesh(home, CALL_SECONDS) as client:
            listed = [(node.name, model) for node in client.nodes() for model in node.models]
    if as_json:
        running = [{"node": node, **dataclasses.asdict(model)} for node, model in listed]
        terminal.print_json({"pocket": pocket, "mesh": running})
        return
    console = terminal.console()
    console.print(_pocket_table(pocket))
    if listed:
        console.print("\nIn the running mesh:")
        console.print(tables.mesh_models(listed))
    else:
        console.print(f"\n{local_mesh.missing(home).message}", markup=False, soft_wrap=True)


def _pocket(name: str, path: Path) -> dict[str, Any]:
    try:
        header = gguf.read_header(path)
    except QuorateError as error:
        return {"name": name, "path": str(path), "problem": error.message}
    return {
        "name": name,
        "path": str(path),
        "file_bytes": header.file_bytes,
        "parameters": header.parameters,
        "quantization": header.quantization,
        "context_tokens": header.context_tokens,
        "sha256": gguf.sha256(path),
    }


def _pocket_table(listed: list[dict[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("pocket model", "weights", "format", "file", "context", "sha256"):
        table.add_column(column, overflow="fold")
    for model in listed:
        table.add_row(model["name"], *_described(model))
    return table


def _described(model: Mapping[str, Any]) -> tuple[str, ...]:
    if "problem" in model:
        return (model["problem"],)
    return (
        tables.millions(model["parameters"]),
        model["quantization"],
        terminal.size(model["file_bytes"]),
        f"{model['context_tokens']} tokens",
        model["sha256"][:12],
    )
