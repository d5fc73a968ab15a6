"""Who votes: the members chosen from the live nodes, and the spare for one that fails. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from quorate.errors import NoNodes, UnknownModel, UnknownNode, nearest
from services.coordinator.question import Member, Model, Node, Question, Seat

LEAVING = "unloading"
"""The state of a model that its node unloads at this moment."""
HOW_TO_START = (
    "Start a local mesh with `quorate up`, or a node with `python -m services.node --settings FILE`"
    " whose `coordinators` names this coordinator"
)


def members(nodes: Sequence[Node], question: Question) -> tuple[Member, ...]:
    """Choose the models that vote, in the order in which their votes are folded.

    Every ready model of every live node votes, a model that runs on several nodes once for each,
    and so does one that is loaded on demand and fits; the question may name models and nodes and
    limit the number. Raises NoNodes, UnknownModel and UnknownNode, which name what there is.
    """
    if not nodes:
        raise NoNodes(f"No node is registered. {HOW_TO_START}.", retry_after_seconds=2.0)
    _check_names(nodes, question)
    chosen = [node for node in nodes if not question.nodes or node.name in question.nodes]
    able = _able(chosen, question)
    if not able:
        raise NoNodes(_nobody_ready(chosen, question), retry_after_seconds=1.0)
    return tuple(sorted(_limited(able, question.max_models)))


def candidates(nodes: Sequence[Node], question: Question) -> tuple[Member, ...]:
    """Give every member that a plan may choose, in the order of preference.

    Besides those that vote where nobody plans, these are models on demand that need the memory of
    others. Raises NoNodes, UnknownModel and UnknownNode.
    """
    members(nodes, question)
    chosen = [node for node in nodes if not question.nodes or node.name in question.nodes]
    able = [
        member
        for member in everyone(chosen)
        if not question.models or member.model in question.models
    ]
    return tuple(_by_preference(able, len(able)))


def everyone(nodes: Sequence[Node]) -> list[Member]:
    """Give every model that could be asked at all, in memory or on demand.

    One that is being unloaded can be loaded again as soon as that is done.
    """
    return [
        _member(node, model)
        for node in nodes
        if not node.draining
        for model in node.models
        if model.ready or model.on_demand or (model.may_leave and model.state == LEAVING)
    ]


def _able(nodes: Sequence[Node], question: Question) -> Sequence[Member]:
    """Find who can vote: resident models, and those on demand that need nobody else's memory.

    One that does not fit would end idle models or fail. It is asked where it was named and nobody
    else has it, and where nobody else can vote.
    """
    able, crowded = list[Member](), list[Member]()
    for node in nodes:
        if node.draining:
            continue
        free_bytes = node.free_bytes
        wanted = (m for m in node.models if not question.models or m.name in question.models)
        for model in sorted(wanted, key=lambda model: model.name):
            if model.ready:
                able.append(_member(node, model))
            elif model.on_demand and (free_bytes is None or model.missing_bytes <= free_bytes):
                able.append(_member(node, model))
                free_bytes = free_bytes and free_bytes - model.missing_bytes
            elif model.on_demand:
                crowded.append(_member(node, model))
    if question.models or not able:
        present = {member.model for member in able}
        able += (member for member in crowded if member.model not in present)
    return able


def _check_names(nodes: Sequence[Node], question: Question) -> None:
    known_nodes = {node.name for node in nodes}
    for name in question.nodes:
        if name not in known_nodes:
            raise UnknownNode(f"No live node is called {name!r}.{nearest(name, known_nodes)}")
    known_models = {model.name for node in nodes for model in node.models}
    for name in question.models:
        if name not in known_models:
            raise UnknownModel(f"No live node has a model {name!r}.{nearest(name, known_models)}")


def _member(node: Node, model: Model) -> Member:
    known = model.reliability.values()
    mean = sum(known) / len(known) if known else 0.0
    return Member(
        node.name,
        model.name,
        node.address,
        model.sha256,
        model.weight,
        mean,
        model.ready,
        model.memory_bytes,
    )


def _limited(able: Sequence[Member], most: int) -> Sequence[Member]:
    """Keep at most so many members.

    Resident models before others, different models before copies, different nodes before one.
    """
    return able if most == 0 or len(able) <= most else _by_preference(able, most)


def _by_preference(able: Sequence[Member], most: int) -> Sequence[Member]:
    left, chosen = sorted(able), list[Member]()
    models, nodes = Counter[str](), Counter[str]()

    def crowding(member: Member) -> tuple[bool, int, int]:
        return not member.resident, models[member.model], nodes[member.node]

    while len(chosen) < most:
        member = left.pop(left.index(min(left, key=crowding)))
        models[member.model] += 1
        nodes[member.node] += 1
        chosen.append(member)
    return chosen


def _nobody_ready(nodes: Sequence[Node], question: Question) -> str:
    states = [
        f"{model.name} on {node.name} is {'draining' if node.draining else model.state}"
        for node in nodes
        for model in node.models
        if not question.models or model.name in question.models
    ]
    listed = ", ".join(states[:8]) or "the nodes named have none of the models named"
    return f"No model is ready to vote: {listed}. `quorate nodes` shows when that changes."


def seats(voters: Sequence[Member], samples: int, round_number: int = 0) -> tuple[Seat, ...]:
    """Give every vote its place: by node, model and sample."""
    return tuple(
        Seat(member.node, member.model, sample, round_number)
        for member in voters
        for sample in range(samples)
    )


def spares(
    member: Member, voters: Sequence[Member], nodes: Sequence[Node], allowed: Sequence[str] = ()
) -> list[Member]:
    """Find other live nodes that have a member's model and do not vote with it themselves.

    A copy that votes already is not asked twice: its second ballot would be a clone of its first,
    and agreement between clones says nothing. Resident copies come before those on demand.
    `allowed` names the nodes that may vote; empty is all.
    """
    taken = {(voter.node, voter.model) for voter in voters}
    found = [
        _member(node, model)
        for node in nodes
        if not node.draining and (not allowed or node.name in allowed)
        for model in node.models
        if model.name == member.model
        and (model.ready or model.on_demand)
        and (not member.sha256 or model.sha256 in {"", member.sha256})
        and (node.name, model.name) not in taken
    ]
    return sorted(found, key=lambda one: (not one.resident, one.node))


def seed_of(seed: int, member: Member) -> int:
    """Derive a member's own seed from the question's, the same on every run.

    Two members never draw with the same random numbers, and neither order nor failover matters.
    """
    digest = hashlib.sha256(f"{seed}/{member.node}/{member.model}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
