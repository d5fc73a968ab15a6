"""Proposes the best set of models for a machine. Pure, exact and deterministic.

A set S is worth

    Σ over m in S of quality(m) · use(m) · SAME_FAMILY ^ (better members of m's family in S)
    + SPECIALITY · the best quality(m) of a code model in S

and the best set of at most `nodes · models_per_node` models is found that fits into the memory,
each model lying either on the accelerator or beside the processor. quality(m) is a prior: accuracy
of instruct models on common tests grows about as the logarithm of their size, so it is 0 at 100
million parameters and 1 at ten thousand million. use(m) is 1, and CODE_USE for code models, which
answer other questions worse. Models of one family share training data and err together, so each
further one counts half; a voter much weaker than the best one makes a vote worse, so none below
WEAKEST of the best is taken. A preset says how fast each model must be.

The set is found with the cache of each model as small as it can be; what memory is then left goes
to caches as a node lays them out by itself, those of the best models first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from quorate.errors import InvalidRequest, NotReady, nearest
from quorate.models.best_set import Search
from quorate.models.choice import PRESETS, Candidate, Choice, Preset, Proposal, Wish
from quorate.models.memory import CHUNK_TOKENS, Layout, MemoryEstimate, estimate, pool

if TYPE_CHECKING:
    from quorate.models.header import GgufHeader

__all__ = ["PRESETS", "Candidate", "Choice", "Preset", "Proposal", "Wish", "preset", "propose"]


def preset(name: str) -> Preset:
    """Give the preset of a name; raises InvalidRequest."""
    if name not in PRESETS:
        raise InvalidRequest.field(
            "preset", name, f"it must be one of {', '.join(PRESETS)}", nearest(name, PRESETS)
        )
    return PRESETS[name]


def propose(candidates: Sequence[Candidate], wish: Wish) -> Proposal:
    """Find the best set; raises NotReady when no model fits."""
    options = [_options(candidate, wish) for candidate in candidates]
    usable = sorted(
        (places for places in options if places),
        # Of equal sets the first is taken: so what takes less memory comes first.
        key=lambda places: (
            -places[0].candidate.worth,
            places[0].memory.total_bytes,
            places[0].candidate.name,
        ),
    )
    search = Search(usable, wish)
    search.run()
    if not search.best:
        raise _nothing_fits(candidates, wish)
    best = _widened(search.best, wish)
    host = sum(choice.memory.host_bytes for choice in best)
    device = sum(choice.memory.device_bytes for choice in best)
    return Proposal(
        nodes=_spread(best, wish),
        value=search.best_value,
        left_bytes=wish.memory_bytes - host,
        accelerator_left_bytes=wish.accelerator_bytes - device,
    )


def _options(candidate: Candidate, wish: Wish) -> list[Choice]:
    """Give the places where a model could lie: on the accelerator, beside the processor."""
    header = candidate.header
    if header.context_tokens and header.context_tokens < wish.context_tokens:
        return []
    layers = [header.layers + 1, 0] if wish.accelerator_bytes else [0]
    places = [_smallest(candidate, wish, count) for count in layers]
    return [
        place
        for place in places
        if place.tokens_per_second >= wish.preset.tokens_per_second
        and place.memory.host_bytes <= wish.memory_bytes
        and place.memory.device_bytes <= wish.accelerator_bytes
    ]


def _smallest(candidate: Candidate, wish: Wish, gpu_layers: int) -> Choice:
    """Place a model with the layout that takes less; the node's own where both take the same."""
    layouts: tuple[Layout, ...] = ("auto", "unified")
    places = [
        Choice(candidate, gpu_layers, _memory(candidate.header, wish, gpu_layers, layout), layout)
        for layout in layouts
    ]
    return min(places, key=lambda place: place.memory.total_bytes)


def _widened(choices: Sequence[Choice], wish: Wish) -> list[Choice]:
    """Leave the layout to the node wherever that fits too, for the best models first."""
    widened = list(choices)
    for index in sorted(range(len(choices)), key=lambda one: -choices[one].candidate.worth):
        one = choices[index]
        memory = _memory(one.candidate.header, wish, one.gpu_layers, "auto")
        tried = [*widened]
        tried[index] = one._replace(memory=memory, kv_layout="auto")
        if (
            sum(choice.memory.host_bytes for choice in tried) <= wish.memory_bytes
            and sum(choice.memory.device_bytes for choice in tried) <= wish.accelerator_bytes
        ):
            widened = tried
    return widened


def _memory(header: GgufHeader, wish: Wish, gpu_layers: int, layout: Layout) -> MemoryEstimate:
    """Estimate what a node will: by the same pool and the same batches."""
    slots = wish.slots
    cells = pool(header, slots=slots, context_tokens=wish.context_tokens, layout=layout)
    return estimate(
        header,
        pool_tokens=cells.tokens,
        slots=slots,
        batch_tokens=CHUNK_TOKENS + slots,
        gpu_layers=gpu_layers,
        split=cells.split,
    )


def _spread(choices: Sequence[Choice], wish: Wish) -> tuple[tuple[Choice, ...], ...]:
    """Give each node its models: different families on one node, and about equal memory."""
    nodes: list[list[Choice]] = [[] for _ in range(min(wish.nodes, len(choices)))]
    for choice in sorted(choices, key=lambda one: -one.memory.total_bytes):
        family = choice.candidate.family
        room = [node for node in nodes if len(node) < wish.models_per_node]
        chosen = min(
            room,
            key=lambda node: (
                sum(one.candidate.family == family for one in node),
                sum(one.memory.total_bytes for one in node),
            ),
        )
        chosen.append(choice)
    return tuple(tuple(node) for node in nodes)


def _nothing_fits(candidates: Sequence[Candidate], wish: Wish) -> NotReady:
    if not candidates:
        return NotReady(
            "no model is on disk. `quorate models pull NAME` brings one; without --installed the "
            "whole catalogue is looked at."
        )
    mib = 2**20
    least, name = min((_smallest(one, wish, 0).memory.total_bytes, one.name) for one in candidates)
    return NotReady(
        f"no model fits: there are {wish.memory_bytes // mib} MiB for models, and {name}, the "
        f"smallest, takes {least // mib} MiB for {wish.context_tokens} tokens of context. Give "
        "more with --memory, shorten --context, or take another --preset."
    )
