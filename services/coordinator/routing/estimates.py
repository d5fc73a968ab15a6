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
from services.coordinator.routing.foreseen import bytes_of, load_seconds, machine_of
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
    """A problem, its options' members in the same order, and the items behind each P(right)."""

    problem: Problem
    members: tuple[Member, ...]
    items: Matrix


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
        Task(part.id, min(wanted.voters, len(members)), part.task_type, _tokens(part))
        for part in parts
    )
    durations = [known.latencies.get(_place(*pair)) for pair in zip(members, chosen, strict=True)]
    rows = zip(chosen, durations, strict=True)
    seconds = [[_seconds(model, duration, task) for task in tasks] for model, duration in rows]
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
        _matrix(seconds, parts),
        wanted.lambda_token,
        wanted.lambda_switch,
        wanted.deadline_seconds,
        copies=1,
    )
    items = _matrix([[count for _, count in row] for row in judged], parts)
    return Estimates(problem, tuple(members), items)


def _matrix(rows: Sequence[Sequence[float]], parts: Sequence[Subtask]) -> Matrix:
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(parts))


def _tokens(part: Subtask) -> int:
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


def _promised(model: Model) -> bool:
    """Say whether a node has set memory aside for a model that it is loading."""
    return not model.ready and model.missing_bytes == 0 and model.memory_bytes > 0


class _Rooms:
    """The pools of memory, and which of them a model counts in.

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
        self._own: dict[str, int] = {}
        self._asked: dict[str, int] = {}
        machines: dict[str, list[Node]] = {}
        for node in nodes:
            machines.setdefault(machine_of(node), []).append(node)
            if node.budget_bytes is not None:
                self._own[node.name] = max(0, node.budget_bytes + self._room(node))
        for machine, members in machines.items():
            left = [node.available_bytes for node in members if node.available_bytes is not None]
            if left:
                room = min(left) + sum(map(self._room, members))
                self._own[f"machine {machine}"] = max(0, room)
        self._set(machines, asked)

    def _set(self, machines: Mapping[str, Sequence[Node]], asked: Mapping[str, int]) -> None:
        names = {*machines, *(node.name for members in machines.values() for node in members)}
        for name, limit in asked.items():
            if name and name not in names:
                raise UnknownNode(
                    f"memory_bytes limits {name!r}, but no live node or machine is called so."
                    f"{nearest(name, names)}"
                )
            for whom in [name] if name else machines:
                self._asked[whom] = min(limit, self._asked.get(whom, limit))

    @property
    def pools(self) -> tuple[Pool, ...]:
        """Give all pools: the machines' own, then those that the question set."""
        asked = (Pool(name + ASKED, limit) for name, limit in self._asked.items())
        return (*(Pool(name, limit) for name, limit in self._own.items()), *asked)

    def stays(self, node: Node, model: Model) -> bool:
        """Say whether a model is in memory whatever the plan says, or will be at once."""
        if not model.ready:
            return model.missing_bytes == 0 and model.memory_bytes > 0  # it is being loaded
        return not model.may_leave or self._in_use(node.name, model.name)

    def _room(self, node: Node) -> int:
        """Count what could be given back by unloading."""
        return sum(
            bytes_of(model) for model in node.models if model.ready and not self.stays(node, model)
        )

    def of(self, node: Node, model: Model) -> tuple[str, ...]:
        """Name the pools in which a model counts."""
        homes = (node.name, f"machine {machine_of(node)}")
        own = () if self.stays(node, model) else (name for name in homes if name in self._own)
        asked = {node.name, machine_of(node)} & set(self._asked)
        return (*own, *(name + ASKED for name in sorted(asked)))
