"""Which model is best at what: a mesh's own estimates, by type of task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from quorate.client.plans import Subtask
from quorate.errors import NotImplementedYet
from quorate.prompts import TASK_TYPES

if TYPE_CHECKING:
    from quorate.client.plans import Estimate, Plan
    from quorate.client.question import Options

QUESTION: Final = "Which model is best at what?"
OPTIONS: Final[Options] = {
    "subtasks": [Subtask(kind, f"A task of the type {kind}.", (), kind) for kind in TASK_TYPES],
    # Every mode works with the same estimates. This one never declines to choose, and is fast.
    "routing": "greedy",
    "max_models": 1,
}
"""What the plan is asked for that has the estimates: one part for each type of task."""


@dataclass(frozen=True)
class Estimated:
    """P(right) in [0, 1], the judged answers behind it, and whether no model has a higher one.

    Without answers it is the model's card, or a guess. Where all models are estimated alike nobody
    is `best`.
    """

    reliability: float
    items: float
    best: bool = False


@dataclass(frozen=True)
class Specialist:
    """A model with its estimates by type of task; one that several nodes have is named once.

    `nodes` are those whose estimates these are: another file under the same name is another model.
    """

    model: str
    nodes: tuple[str, ...]
    estimates: Mapping[str, Estimated]


def specialists_of(plan: Plan) -> tuple[Specialist, ...]:
    """Read the models of a mesh from the plan that QUESTION and OPTIONS give, in its order.

    Raises NotImplementedYet where the coordinator is too old to plan given parts.
    """
    estimates = plan.routing.estimates if plan.routing else ()
    if {one.id for one in plan.subtasks} != set(TASK_TYPES) or not estimates:
        raise NotImplementedYet(
            "the coordinator gave no estimates by type of task; it is older than this command"
        )
    found: dict[tuple[str, str], dict[str, Estimate]] = {}
    for one in estimates:
        found.setdefault((one.model, one.node), {})[one.subtask_id] = one
    best = {kind: _best([row[kind].reliability for row in found.values()]) for kind in TASK_TYPES}
    alike: dict[tuple[str, tuple[Estimated, ...]], list[str]] = {}
    for (model, node), row in found.items():
        row_of = tuple(_estimated(row[kind], best[kind]) for kind in TASK_TYPES)
        alike.setdefault((model, row_of), []).append(node)
    return tuple(
        Specialist(model, tuple(nodes), dict(zip(TASK_TYPES, row_of, strict=True)))
        for (model, row_of), nodes in alike.items()
    )


def _best(reliabilities: Sequence[float]) -> float | None:
    highest = max(reliabilities)
    return highest if highest > min(reliabilities) else None


def _estimated(one: Estimate, best: float | None) -> Estimated:
    return Estimated(one.reliability, one.items, best=one.reliability == best)
