"""From live nodes and what was learned to a routing problem: who could work, and what for. Pure.

P(right) is the learned reliability on the part's task type, shrunk to what the model's card says of
it; a token's cost grows with the model's number of weights; a load costs what it last took.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from quorate.errors import UnknownNode, nearest
from services.coordinator.question import LAMBDA_SWITCH, LAMBDA_TOKEN
from services.coordinator.routing.foreseen import (
    bytes_of,
    given_back,
    is_promised,
    load_seconds,
    machine_of,
)
from services.coordinator.routing.problem import Option, Pool, Problem, Task
from services.coordinator.state.latencies import Place
from services.coordinator.state.learned import ModelKey, State
from services.coordinator.state.learning import estimate

if TYPE_CHECKING:
    from services.coordinator.decompose.dag import Subtask
    from services.coordinator.question import Member, Model, Node
    from services.coordinator.routing.problem import Matrix
    from services.coordinator.state.latency import Latency

TOKEN_SCALE: Final = 1_000.0
"""Tokens of the dearest model that cost 1."""
SWITCH_SCALE_SECONDS: Final = 10.0
"""Seconds of loading that cost 1."""
USUAL_TOKENS: Final = 256
"""What an answer is taken to need where nobody said."""
TOKENS_PER_SECOND: Final = 4e9
"""Weights times tokens per second: 30 tokens/s of a model with 135 million weights."""
USUAL_PARAMETERS: Final = 135_000_000
ASKED: Final = " as asked"
"""Ends the name of a pool that a question set, beside the one that the node has."""


class Known(NamedTuple):
    """What is known by now; `in_use` tells whether other questions work with a model on a node."""

    state: State
    latencies: Mapping[Place, Latency]
    in_use: Callable[[str, str], bool]


@dataclass(frozen=True)
class Wanted:
    """What a question wants of its plan.

    `voters` is how many options work on each part. `memory_bytes` limits nodes and machines by
    name, "" all of them. `topic` is what the whole question is about. `deadline_seconds` None is no
    deadline.
    """

    voters: int
    lambda_token: float = LAMBDA_TOKEN
    lambda_switch: float = LAMBDA_SWITCH
    memory_bytes: Mapping[str, int] = field(default_factory=dict)
    topic: str = ""
    deadline_seconds: float | None = None


class Estimates(NamedTuple):
    """A problem, its options' members in the same order, and the items behind each P(right).

    `homes` are the pools in which each option lies, also one that stays and so takes nothing from
    the plan. `others` are residents that are no option, but may leave to make room.
    """

    problem: Problem
    members: tuple[Member, ...]
    items: Matrix
    homes: tuple[tuple[str, ...], ...] = ()
    others: tuple[Option, ...] = ()


def estimates(
    parts: Sequence[Subtask],
    members: Sequence[Member],
    nodes: Sequence[Node],
    known: Known,
    wanted: Wanted,
) -> Estimates:
    """Make the problem of giving parts to members, who come in the order of preference.

    Raises UnknownNode for a limit of memory on a node or machine that is not there.
    """
    places = {node.name: node for node in nodes}
    models = {(node.name, model.name): model for node in nodes for model in node.models}
    chosen = [models[member.node, member.model] for member in members]
    rooms = _Rooms(nodes, known.in_use, wanted.memory_bytes)
    options = tuple(
        _option(places[member.node], model, rooms)
        for member, model in zip(members, chosen, strict=True)
    )
    tasks = tuple(
        Task(part.id, min(wanted.voters, len(members)), part.task_type, tokens_of(part))
        for part in parts
    )
    judged = [
        [_reliability(known.state, model, part.task_type or wanted.topic) for part in parts]
        for model in chosen
    ]
    problem = Problem(
        tasks,
        options,
        rooms.pools,
        _matrix([[mean for mean, _ in row] for row in judged], parts),
        _matrix(_token_costs(chosen, tasks), parts),
        _matrix(_durations(members, chosen, tasks, known), parts),
        wanted.lambda_token,
        wanted.lambda_switch,
        wanted.deadline_seconds,
        copies=1,
    )
    items = _matrix([[count for _, count in row] for row in judged], parts)
    homes = tuple(rooms.homes(member.node) for member in members)
    return Estimates(problem, tuple(members), items, homes, _others(nodes, members, rooms))


def _others(nodes: Sequence[Node], members: Sequence[Member], rooms: _Rooms) -> tuple[Option, ...]:
    """Find the residents that are no option: the question may not ask them."""
    asked = {(member.node, member.model) for member in members}
    return tuple(
        _option(node, model, rooms)
        for node in nodes
        for model in node.models
        if model.ready and (node.name, model.name) not in asked
    )


def _durations(
    members: Sequence[Member], models: Sequence[Model], tasks: Sequence[Task], known: Known
) -> list[list[float]]:
    """Expect how many seconds each model takes for each task, once it is loaded."""
    pairs = list(zip(members, models, strict=True))
    seen = [known.latencies.get(_place(*pair)) for pair in pairs]
    return [
        [_seconds(model, latency, task) for task in tasks]
        for (_, model), latency in zip(pairs, seen, strict=True)
    ]


def _matrix(rows: Sequence[Sequence[float]], parts: Sequence[Subtask]) -> Matrix:
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(parts))


def tokens_of(part: Subtask) -> int:
    """Give the tokens that an answer to a part is expected to need."""
    return part.estimated_tokens or USUAL_TOKENS


def _place(member: Member, model: Model) -> Place:
    return Place(member.node, ModelKey(model.name, model.sha256))


def _reliability(state: State, model: Model, task_type: str) -> tuple[float, float]:
    """Give P(right) and the items behind it: learned, shrunk to what the model's card says."""
    card = {
        name: value for name, value in model.reliability.items() if 0.0 <= value <= 1.0
    }  # a node that announces nonsense, or NaN, announces nothing
    prior = card.get(task_type)
    if prior is None and card:
        prior = math.fsum(card.values()) / len(card)
    found = estimate(state, ModelKey(model.name, model.sha256), task_type or None, prior)
    return min(1.0, max(0.0, found.mean)), found.items


def _token_costs(models: Sequence[Model], tasks: Sequence[Task]) -> list[list[float]]:
    """Price tokens by the weights that each of them passes; the dearest model's are the unit."""
    weights = [model.parameters or USUAL_PARAMETERS for model in models]
    dearest = max(weights, default=1)
    return [[weight / dearest * task.tokens / TOKEN_SCALE for task in tasks] for weight in weights]


def _seconds(model: Model, known: Latency | None, task: Task) -> float:
    """Expect what answers took before, or what so many weights and tokens usually take."""
    if known is not None and known.count:
        alone = known.average
    else:
        alone = task.tokens * (model.parameters or USUAL_PARAMETERS) / TOKENS_PER_SECOND
    return alone * (1.0 + model.busy / model.slots)


def _option(node: Node, model: Model, rooms: _Rooms) -> Option:
    seconds = 0.0 if model.ready else load_seconds(model)
    return Option(
        node.name,
        model.name,
        machine_of(node),
        rooms.of(node, model),
        bytes_of(model),
        model.ready,
        seconds,
        seconds / SWITCH_SCALE_SECONDS,
        model.slots,
        may_leave=not rooms.stays(node, model),
    )


class _Rooms:
    """The pools of memory, and which of them a model counts in.

    A pool is a node's own limit, or what a machine has left; a machine with one node has one pool.
    What can be unloaded is room for the plan; models that stay whatever it says are not, and take
    nothing from it. A limit that the question set counts every model that works.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        in_use: Callable[[str, str], bool],
        asked: Mapping[str, int],
    ) -> None:
        self._in_use = in_use
        self._budgets: dict[str, int] = {}
        self._homes: dict[str, list[str]] = {node.name: [] for node in nodes}
        for members in _by_machine(nodes).values():
            self._add_machine(members)
        self._add_asked(nodes, asked)

    @property
    def pools(self) -> tuple[Pool, ...]:
        """Give all pools."""
        return tuple(Pool(name, limit) for name, limit in self._budgets.items())

    def of(self, node: Node, model: Model) -> tuple[str, ...]:
        """Name the pools in which a model counts."""
        stays = self.stays(node, model)
        homes = self._homes[node.name]
        return tuple(name for name in homes if name.endswith(ASKED) or not stays)

    def homes(self, node: str) -> tuple[str, ...]:
        """Name the pools in which a node's models lie."""
        return tuple(self._homes[node])

    def stays(self, node: Node, model: Model) -> bool:
        """Say whether a model is in memory whatever the plan says, or will be at once."""
        if node.draining or self._in_use(node.name, model.name):
            return True
        return not model.may_leave if model.ready else is_promised(model)

    def _add_machine(self, nodes: Sequence[Node]) -> None:
        machine = [left + sum(map(self._returned, nodes)) for left in _left(nodes)]
        if len(nodes) > 1 and machine:
            self._add("+".join(sorted(node.name for node in nodes)), nodes, machine)
            machine = []
        for node in nodes:
            own = [] if node.budget_bytes is None else [node.budget_bytes + self._counted(node)]
            if own or machine:
                self._add(node.name, [node], [*own, *machine])

    def _add_asked(self, nodes: Sequence[Node], asked: Mapping[str, int]) -> None:
        machines = _by_machine(nodes)
        groups = {**machines, **{node.name: [node] for node in nodes}}
        for name, limit in asked.items():
            if name and name not in groups:
                raise UnknownNode(
                    f"memory_bytes limits {name!r}, but no live node or machine is called so."
                    f"{nearest(name, groups)}"
                )
            for members in [groups[name]] if name else machines.values():
                label = "+".join(sorted(node.name for node in members))
                self._add(label + ASKED, members, [limit])

    def _add(self, name: str, nodes: Sequence[Node], limits: Sequence[int]) -> None:
        least = max(0, min(limits))
        if name in self._budgets:
            self._budgets[name] = min(self._budgets[name], least)
            return
        self._budgets[name] = least
        for node in nodes:
            self._homes[node.name].append(name)

    def _counted(self, node: Node) -> int:
        """Count what unloading adds to a node's limit, less what loads about to begin take."""
        return sum(bytes_of(model) * self._change(node, model) for model in node.models)

    def _returned(self, node: Node) -> int:
        """Count what unloading gives back to the machine, less what loads about to begin take."""
        return sum(given_back(model) * self._change(node, model) for model in node.models)

    def _change(self, node: Node, model: Model) -> int:
        if model.ready:
            return 0 if self.stays(node, model) else 1
        return -1 if self._in_use(node.name, model.name) and not is_promised(model) else 0


def _left(nodes: Sequence[Node]) -> list[int]:
    """Give what a machine has left, less what all its nodes have promised; nothing if unknown.

    Each node has taken off its own promises alone, and the least of what they see is believed.
    """
    promised = {
        node.name: sum(
            max(0, model.memory_bytes - model.held_bytes)
            for model in node.models
            if is_promised(model)
        )
        for node in nodes
    }
    seen = [
        node.available_bytes + promised[node.name]
        for node in nodes
        if node.available_bytes is not None
    ]
    return [min(seen) - sum(promised.values())] if seen else []


def _by_machine(nodes: Sequence[Node]) -> dict[str, list[Node]]:
    machines: dict[str, list[Node]] = {}
    for node in nodes:
        machines.setdefault(machine_of(node), []).append(node)
    return machines
