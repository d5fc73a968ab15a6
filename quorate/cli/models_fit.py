"""`quorate models fit`: which models this machine should run, and a topology that runs them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from quorate import machine
from quorate.cli import models_pull, tables, terminal
from quorate.config import parse_bytes
from quorate.errors import InvalidRequest
from quorate.models import fit as fitting
from quorate.models import proposal as proposals
from quorate.models.catalogue import catalogue
from quorate.models.fit import Choice, Proposal, Wish
from quorate.models.store import Store

ACCELERATOR_SHARE = 0.9
"""Of an accelerator's free memory; drivers and displays want some."""


class Asked(NamedTuple):
    """What the command line says; sizes are text such as "8GiB", None for what is free."""

    preset: str
    memory: str | None
    vram: str | None
    nodes: int
    models_per_node: int
    context_tokens: int
    installed: bool
    pull: bool
    out: str | None


def fit(asked: Asked, *, as_json: bool) -> None:
    """Propose a set, bring what is missing if that is wished, and write its topology."""
    store = Store()
    wish = _wish(asked)
    candidates = proposals.candidates(store, installed=asked.installed)
    proposal = fitting.propose(candidates, wish)
    if asked.pull:
        for name in proposal.to_pull:
            models_pull.bring(models_pull.wanted_of(name), store, terminal.console(stderr=as_json))
    missing = () if asked.pull else proposal.to_pull
    if asked.out:
        Path(asked.out).write_text(_topology(asked, proposal, wish, missing), encoding="utf-8")
    if as_json:
        terminal.print_json(_data(asked, proposal, wish, missing))
    else:
        _show(asked, proposal, wish, missing)


def _wish(asked: Asked) -> Wish:
    preset = fitting.preset(asked.preset)
    found = machine.measure()
    free = round(found.available_bytes * preset.memory_share)
    cards = round(sum(found.accelerators) * ACCELERATOR_SHARE)
    return Wish(
        preset=preset,
        memory_bytes=_size("--memory", asked.memory, free),
        accelerator_bytes=_size("--vram", asked.vram, cards),
        nodes=asked.nodes,
        models_per_node=asked.models_per_node,
        context_tokens=asked.context_tokens,
    )


def _size(option: str, text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    try:
        return parse_bytes(text)
    except ValueError as error:
        raise InvalidRequest.field(
            option, text, "it must be a size", "Write it like 8GiB or 500MB."
        ) from error


def _topology(asked: Asked, proposal: Proposal, wish: Wish, missing: Sequence[str]) -> str:
    topology = proposals.topology_of(proposal, wish, limit_memory=asked.memory is not None)
    memory = terminal.size(wish.memory_bytes)
    comments = [
        f"Proposed by `quorate models fit --preset {asked.preset}` for {memory} of memory.",
        "A model without a path is the file that `quorate models pull` brought.",
    ]
    if missing:
        comments.append(f"First: quorate models pull {' '.join(missing)}")
    return proposals.as_text(topology, comments)


def _show(asked: Asked, proposal: Proposal, wish: Wish, missing: Sequence[str]) -> None:
    console = terminal.console()
    rows = tables.table(
        "node", "model", "weights", "memory", "of it on the accelerator", "tokens/s, about",
        "licence", "here", right=("weights", "memory", "tokens/s, about"),
    )  # fmt: skip
    for number, node in enumerate(proposal.nodes, 1):
        for choice in node:
            rows.add_row(f"n{number}", *_row(choice, missing))
    console.print(rows)
    used = terminal.size(wish.memory_bytes - proposal.left_bytes)
    left = terminal.size(proposal.left_bytes)
    say = [
        f"{used} of {terminal.size(wish.memory_bytes)} used, {left} left.",
        f"One answer and its prompt take at most {wish.context_tokens} tokens.",
    ]
    if sharing := [one.candidate.name for one in proposal.choices if one.kv_layout == "unified"]:
        say.append(f"To fit, the answers of one model share its cache: {', '.join(sharing)}.")
    if wish.accelerator_bytes:
        left = terminal.size(proposal.accelerator_left_bytes)
        say.append(f"Accelerator: {left} of {terminal.size(wish.accelerator_bytes)} left.")
    wanted = asked.nodes * asked.models_per_node
    if len(proposal.choices) < wanted:
        say.append(f"No further model of the {wanted} would fit and make the vote better.")
    say += _notes(proposal)
    if missing:
        say.append(f"First: quorate models pull {' '.join(missing)}")
    if asked.out:
        say.append(f"Then: quorate up --topology {asked.out}")
    console.print("\n".join(say), markup=False, soft_wrap=True)


def _row(choice: Choice, missing: Sequence[str]) -> tuple[str, ...]:
    candidate, memory = choice.candidate, choice.memory
    return (
        candidate.name,
        tables.millions(candidate.header.parameters),
        terminal.size(memory.total_bytes),
        terminal.size(memory.device_bytes) if memory.device_bytes else "-",
        f"{choice.tokens_per_second:.0f}",
        candidate.licence or "-",
        "no" if candidate.name in missing else "yes",
    )


def _notes(proposal: Proposal) -> list[str]:
    """Say what surprises most about the terms of the models."""
    known = catalogue()
    chosen = [known.by_name.get(choice.candidate.name) for choice in proposal.choices]
    told = {model.licence for model in chosen if model and known.licence_of(model).note}
    return [
        f"{known.licences[name].name}: {known.licences[name].note} {known.licences[name].url}"
        for name in sorted(told)
    ]


def _data(asked: Asked, proposal: Proposal, wish: Wish, missing: Sequence[str]) -> dict[str, Any]:
    return {
        "preset": asked.preset,
        "memory_bytes": wish.memory_bytes,
        "accelerator_bytes": wish.accelerator_bytes,
        "left_bytes": proposal.left_bytes,
        "accelerator_left_bytes": proposal.accelerator_left_bytes,
        "value": round(proposal.value, 6),
        "nodes": [
            {"name": f"n{number}", "models": [_choice_data(choice) for choice in node]}
            for number, node in enumerate(proposal.nodes, 1)
        ],
        "to_pull": list(missing),
        "topology": asked.out,
    }


def _choice_data(choice: Choice) -> dict[str, Any]:
    candidate, memory = choice.candidate, choice.memory
    return {
        "name": candidate.name,
        "family": candidate.family,
        "speciality": candidate.speciality,
        "parameters": candidate.header.parameters,
        "quality": round(candidate.quality, 4),
        "licence": candidate.licence,
        "memory_bytes": memory.total_bytes,
        "accelerator_bytes": memory.device_bytes,
        "gpu_layers": choice.gpu_layers,
        "tokens_per_second_about": round(choice.tokens_per_second, 1),
    }
