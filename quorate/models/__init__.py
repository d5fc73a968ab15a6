"""Model files: which there are, what they say about themselves, and whether they can be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from quorate.errors import ModelUnusable, UnknownModel, nearest

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from quorate.topology import Topology

POCKET_DIRECTORY = Path(__file__).parent / "pocket"


def pocket_models() -> Mapping[str, Path]:
    """Give the models that come with Quorate, by name."""
    return {path.stem: path for path in sorted(POCKET_DIRECTORY.glob("*.gguf"))}


def resolve(settings: ModelSettings) -> Path:
    """Find the file of a model.

    Without a path it is the pocket model of that name, or the one that `quorate models pull` put on
    disk. Raises UnknownModel when no model has the name, ModelUnusable when its file is not here.
    """
    if settings.path is None:
        return pocket_models().get(settings.name) or _stored(settings.name)
    if not settings.path.exists():
        raise ModelUnusable(f"the file of model {settings.name!r} is missing: {settings.path}")
    if not settings.path.is_file():
        raise ModelUnusable(f"the path of model {settings.name!r} is no file: {settings.path}")
    return settings.path.resolve()


def placed(topology: Topology) -> Topology:
    """Give pulled models their paths, so that services need not know where they are kept.

    Raises UnknownModel or ModelUnusable for a model whose file is not here.
    """

    def with_path(model: ModelSettings) -> ModelSettings:
        if model.path or model.backend != "llama.cpp" or model.name in pocket_models():
            return model
        return model.model_copy(update={"path": resolve(model)})

    nodes = [
        node.model_copy(update={"models": [with_path(model) for model in node.models]})
        for node in topology.nodes
    ]
    return topology.model_copy(update={"nodes": nodes})


def _stored(name: str) -> Path:
    # Not before it is needed: the pocket models must not cost a look at catalogue and disk.
    from quorate.models.catalogue import catalogue
    from quorate.models.store import Store

    store, known = Store(), catalogue().by_name
    found = store.find(name)
    if found:
        return found.path
    if name in known:
        raise ModelUnusable(
            f"model {name!r} ({known[name].title}) is not on this machine: {store.path(name)} does "
            f"not exist. Bring it with: quorate models pull {name}"
        )
    names = {*known, *pocket_models(), *(stored.name for stored in store.all())}
    raise UnknownModel(
        f"no path is given for model {name!r}, it is no pocket model, the catalogue has none of "
        f"that name, and no such file was pulled.{nearest(name, names)}"
    )
