"""From what is known and on disk to what `fit` chooses from, and from its choice to a topology."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from quorate import config
from quorate.config import ModelSettings
from quorate.errors import ModelUnusable
from quorate.models import gguf
from quorate.models.catalogue import catalogue
from quorate.models.fit import Candidate, Choice
from quorate.topology import Topology

if TYPE_CHECKING:
    from quorate.models.catalogue import Speciality
    from quorate.models.fit import Proposal, Wish
    from quorate.models.store import Store, Stored


def candidates(store: Store, *, installed: bool) -> list[Candidate]:
    """Give the models to choose from: the catalogue and what is on disk, or the latter alone.

    A damaged file on disk is no candidate; `verify` says what is wrong with it.
    """
    on_disk = {one.name: one for one in map(_stored, store.all()) if one}
    known = {} if installed else {one.name: one for one in _catalogue()}
    return list((known | on_disk).values())


def _catalogue() -> Iterator[Candidate]:
    for model in catalogue().models:
        yield Candidate(
            model.name,
            model.title,
            model.family,
            model.speciality,
            model.header(),
            on_disk=False,
            licence=model.licence,
        )


def _stored(stored: Stored) -> Candidate | None:
    try:
        header = gguf.read_header(stored.path)
    except ModelUnusable:
        return None
    known = catalogue().by_name.get(stored.name)
    if known:
        title, family, speciality = known.title, known.family, known.speciality
    else:
        title, family = stored.name, header.architecture
        speciality = _guessed(stored.name)
    licence = known.licence if known else stored.record.licence if stored.record else ""
    return Candidate(stored.name, title, family, speciality, header, on_disk=True, licence=licence)


def _guessed(name: str) -> Speciality:
    return "code" if "code" in name else "general"


def topology_of(proposal: Proposal, wish: Wish, *, limit_memory: bool) -> Topology:
    """Give the topology of a proposal; `limit_memory` divides the memory among its nodes."""
    spare = proposal.left_bytes // len(proposal.nodes)
    nodes = []
    for number, choices in enumerate(proposal.nodes, 1):
        node: dict[str, Any] = {"name": f"n{number}"}
        if limit_memory:
            node["memory"] = sum(choice.memory.host_bytes for choice in choices) + spare
        node["models"] = [_model(choice, wish) for choice in choices]
        nodes.append(node)
    best = max(
        proposal.choices, key=lambda one: (one.candidate.worth, one.candidate.name)
    ).candidate.name
    data = {"nodes": nodes, "synthesizer": {"models": [best]}}
    return config.validate(Topology, data, "the proposed topology")


def _model(choice: Choice, wish: Wish) -> Mapping[str, Any]:
    settings = ModelSettings.model_fields
    model: dict[str, Any] = {
        "name": choice.candidate.name,
        "context_tokens": wish.context_tokens,
    }
    if choice.kv_layout != settings["kv_layout"].default:
        model["kv_layout"] = choice.kv_layout
    if wish.slots != settings["slots"].default:
        model["slots"] = wish.slots
    if wish.accelerator_bytes:
        model["gpu_layers"] = choice.gpu_layers
    return model


def as_text(topology: Topology, comments: Sequence[str]) -> str:
    """Write a topology with comments before it."""
    data = topology.model_dump(mode="json", exclude_defaults=True)
    body = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    return "".join(f"# {line}\n" for line in comments) + body
