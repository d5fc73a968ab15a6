"""`quorate models verify` and `quorate models rm`: the files that are on disk."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from quorate import config
from quorate.cli import tables, terminal
from quorate.client import local_mesh
from quorate.client.local_mesh import Home
from quorate.config import NodeSettings
from quorate.errors import InvalidRequest, NotReady, UnknownModel, nearest
from quorate.models import verification
from quorate.models.catalogue import canonical
from quorate.models.store import Store

if TYPE_CHECKING:
    from quorate.client.local_mesh import MeshState
    from quorate.config import ModelSettings


def verify(names: Sequence[str], *, as_json: bool) -> bool:
    """Check models, or all that are on disk; gives whether all are right."""
    store = Store()
    chosen = [canonical(name) for name in names] or [stored.name for stored in store.all()]
    checked = [verification.verify(name, store) for name in chosen]
    right = not any(one.problem for one in checked)
    if as_json:
        models = [one._asdict() | {"ok": not one.problem} for one in checked]
        terminal.print_json({"ok": right, "models": models})
        return right
    if not checked:
        terminal.console().print(f"No model is in {store.directory}.", soft_wrap=True)
        return right
    rows = tables.table("model", "", "sha256")
    for one in checked:
        rows.add_row(one.name, one.problem or one.note or "is right", one.sha256[:12])
    terminal.console().print(rows)
    return right


def remove(names: Sequence[str], home: Path, *, sure: bool, as_json: bool) -> None:
    """Remove models from disk.

    Raises UnknownModel, NotReady while the running mesh uses one, and InvalidRequest when nobody
    can be asked.
    """
    store = Store()
    chosen = [canonical(name) for name in names]
    present = {stored.name for stored in store.all()} | set(store.records())
    for name in chosen:
        if name not in present and not store.partials(name):
            raise UnknownModel(f"model {name!r} is not on disk.{nearest(name, present)}")
        _refuse_used(name, store, home)
    if not sure and not _asked(chosen):
        return
    freed = {name: store.remove(name) for name in chosen}
    if as_json:
        terminal.print_json({"removed": chosen, "freed_bytes": sum(freed.values())})
        return
    for name, size in freed.items():
        terminal.console().print(f"{name} is gone; {terminal.size(size)} are free.")


def _asked(names: Sequence[str]) -> bool:
    if not sys.stdin.isatty():
        raise InvalidRequest.field(
            "--yes", False, "there is no terminal to ask on", "Give --yes to remove without asking."
        )
    return typer.confirm(f"Remove {', '.join(names)} from disk?")


def _refuse_used(name: str, store: Store, home: Path) -> None:
    mesh = local_mesh.find(home)
    for node, model in _running(mesh, home) if mesh else ():
        unnamed = model.path is None and model.name == name
        if unnamed or (model.path and model.path.resolve() == store.path(name).resolve()):
            raise NotReady(
                f"model {name!r} is used by node {node} of the mesh that runs in {home}. End it "
                f"first: quorate down{local_mesh.home_option(home)}"
            )


def _running(mesh: MeshState, home: Path) -> Iterator[tuple[str, ModelSettings]]:
    """Give the models of a running mesh as its nodes' settings name them."""
    for service in mesh.services:
        if service.role == "node":
            file = Home(home).run / f"{service.key}.yaml"
            settings = config.load(NodeSettings, file, {})
            yield from ((settings.name, model) for model in settings.models)
