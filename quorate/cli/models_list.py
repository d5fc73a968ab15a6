"""`quorate models list` and `quorate models mesh`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.cli import tables, terminal
from quorate.client import Client, local_mesh
from quorate.errors import QuorateError
from quorate.models import gguf, pocket_models
from quorate.models.catalogue import LISTED_CONTEXT_TOKENS, CatalogueModel, catalogue
from quorate.models.download import kept_bytes
from quorate.models.store import Store, Stored

if TYPE_CHECKING:
    from rich.table import Table

    from quorate.client.mesh_results import Model

CALL_SECONDS = 10.0
FROM_THE_HUB = "from the hub at first pull"


def show(home: Path, *, as_json: bool) -> None:
    """Print all models that can be used here, and those of the mesh when one is running."""
    store = Store()
    pocket = [_pocket(name, path) for name, path in sorted(pocket_models().items())]
    known = [_catalogue(model, store) for model in catalogue().models]
    others = [_other(stored) for stored in store.all() if stored.name not in catalogue().by_name]
    running = _of_mesh(home) if local_mesh.find(home) else []
    if as_json:
        terminal.print_json(
            {
                "directory": str(store.directory),
                "pocket": pocket,
                "catalogue": known,
                "others": others,
                "mesh": _mesh_data(running),
            }
        )
        return
    console = terminal.console()
    console.print(_pocket_table(pocket))
    console.print(
        f"\nCatalogue (`quorate models pull NAME`), in {store.directory}:", soft_wrap=True
    )
    console.print(_catalogue_table(known))
    if others:
        console.print("\nOthers on disk:")
        console.print(_others_table(others))
    if running:
        console.print("\nIn the running mesh:")
        console.print(tables.mesh_models(running))
    else:
        console.print(f"\n{local_mesh.missing(home).message}", markup=False, soft_wrap=True)


def mesh(home: Path, *, as_json: bool) -> None:
    """Print the models of the running mesh; raises NoMesh."""
    running = _of_mesh(home)
    if as_json:
        terminal.print_json({"mesh": _mesh_data(running)})
        return
    terminal.console().print(tables.mesh_models(running))


def _of_mesh(home: Path) -> list[tuple[str, Model]]:
    with Client.from_mesh(home, CALL_SECONDS) as client:
        return [(node.name, model) for node in client.nodes() for model in node.models]


def _mesh_data(running: Iterable[tuple[str, Model]]) -> list[dict[str, Any]]:
    return [{"node": node, **dataclasses.asdict(model)} for node, model in running]


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


def _catalogue(model: CatalogueModel, store: Store) -> dict[str, Any]:
    stored = store.find(model.name)
    licence = catalogue().licence_of(model)
    record = stored.record if stored else None
    return {
        "name": model.name,
        "title": model.title,
        "family": model.family,
        "speciality": model.speciality,
        "parameters": model.parameters,
        "file_bytes": model.size_bytes,
        "quantization": model.quantization,
        "context_tokens": model.shape.context_tokens,
        "memory_bytes": model.memory.total_bytes,
        "memory_context_tokens": LISTED_CONTEXT_TOKENS,
        "licence": licence.name,
        "licence_url": licence.url,
        "repository": model.repository,
        "file": model.file,
        "revision": record.revision if record else model.revision,
        "sha256": record.sha256 if record else model.sha256,
        "checksum": "known" if model.sha256 else FROM_THE_HUB,
        "on_disk": stored is not None,
        "verified": record is not None,
        "path": str(store.path(model.name)),
        "partial_bytes": kept_bytes(store, model.name),
    }


def _other(stored: Stored) -> dict[str, Any]:
    data: dict[str, Any] = {"name": stored.name, "path": str(stored.path)}
    if stored.record:
        data |= stored.record.model_dump(mode="json")
    try:
        header = gguf.read_header(stored.path)
    except QuorateError as error:
        return data | {"problem": error.message}
    return data | {
        "file_bytes": header.file_bytes,
        "parameters": header.parameters,
        "quantization": header.quantization,
        "context_tokens": header.context_tokens,
    }


def _pocket_table(listed: Iterable[dict[str, Any]]) -> Table:
    table = tables.table("pocket model", "weights", "format", "file", "context", "sha256")
    for model in listed:
        if "problem" in model:
            table.add_row(model["name"], model["problem"])
            continue
        table.add_row(model["name"], *_described(model), model["sha256"][:12])
    return table


def _described(model: dict[str, Any]) -> tuple[str, ...]:
    return (
        tables.millions(model["parameters"]),
        model["quantization"],
        terminal.size(model["file_bytes"]),
        f"{model['context_tokens']} tokens",
    )


def _catalogue_table(listed: Iterable[dict[str, Any]]) -> Table:
    table = tables.table(
        "model", "weights", "file", "memory", "good at", "licence", "here",
        right=("weights", "file", "memory"),
    )  # fmt: skip
    for model in listed:
        table.add_row(
            model["name"],
            tables.millions(model["parameters"]),
            terminal.size(model["file_bytes"]),
            terminal.size(model["memory_bytes"]),
            model["speciality"],
            model["licence"],
            _here(model),
        )
    return table


def _here(model: dict[str, Any]) -> str:
    if model["on_disk"]:
        return "yes" if model["verified"] else "not verified"
    if model["partial_bytes"]:
        return f"{terminal.size(model['partial_bytes'])} of it"
    return "-" if model["sha256"] else f"-, checksum {FROM_THE_HUB}"


def _others_table(listed: Iterable[dict[str, Any]]) -> Table:
    table = tables.table("model", "weights", "format", "file", "context", "from")
    for model in listed:
        if "problem" in model:
            table.add_row(model["name"], model["problem"])
            continue
        table.add_row(model["name"], *_described(model), model.get("repository") or "-")
    return table
