"""Plans as the client gives them: how a question is split, who works on what, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Subtask:
    """One part of a question; `depends_on` names the parts whose answers it is given.

    `difficulty` is "easy", "medium" or "hard", or empty when unknown; `estimated_tokens` is what
    its answer is expected to need, 0 when unknown.
    """

    id: str
    text: str
    depends_on: tuple[str, ...] = ()
    task_type: str = ""
    kind: str = ""
    estimated_tokens: int = 0
    difficulty: str = ""


@dataclass(frozen=True)
class Assignment:
    """Which model works on a subtask; `reliability` is P(right), 0 when unknown.

    With `load_first` the model is not in memory yet: its node loads it for this.
    """

    subtask_id: str
    node: str
    model: str
    reliability: float = 0.0
    load_first: bool = False

    @property
    def member(self) -> str:
        """Name the model with its node: "n2/atlas"."""
        return f"{self.node}/{self.model}"


@dataclass(frozen=True)
class Estimate:
    """What a model would be worth for a part: `utility` = reliability - λ_token · token_cost.

    `reliability` is P(right) in [0, 1] and stands on `items` judged answers (0: its card, or a
    guess). A `token_cost` of 1 is that of 1,000 tokens of the dearest model, which is the one with
    the most weights of all that could work; a `switch_cost` of 1 is that of ten seconds of loading,
    0 for a model in memory. `seconds` is how long it would take once it is in memory.
    """

    subtask_id: str
    node: str
    model: str
    reliability: float = 0.0
    items: float = 0.0
    token_cost: float = 0.0
    switch_cost: float = 0.0
    utility: float = 0.0
    seconds: float = 0.0

    @property
    def member(self) -> str:
        """Name the model with its node: "n2/atlas"."""
        return f"{self.node}/{self.model}"


@dataclass(frozen=True)
class MemoryUse:
    """Memory that models share, a node's or a machine's, and what a plan uses of it, in bytes."""

    pool: str
    budget_bytes: int = 0
    used_bytes: int = 0


class Move(StrEnum):
    """What happens to a model's place in memory."""

    UNSPECIFIED = "unspecified"
    LOAD = "load"
    UNLOAD = "unload"


@dataclass(frozen=True)
class Residency:
    """A model that is loaded, or unloaded to make room.

    `seconds` is what it is expected to take, or what it took once `done`. A `problem` says why it
    failed. `ahead` is for a later layer, while this one runs.
    """

    kind: Move
    node: str
    model: str
    memory_bytes: int = 0
    seconds: float = 0.0
    done: bool = False
    problem: str = ""
    ahead: bool = False


@dataclass(frozen=True)
class Routing:
    """How a plan was found and what was proved about it.

    `status` is "optimal", "time_limit" or "feasible". `objective` is the sum of the utilities less
    the cost of loading, `bound` its proved upper bound and `gap` (bound - objective) /
    max(1, |objective|); both are None when no bound is known. `violations` are limits that the plan
    breaks: none, unless the planner erred. `note` is what a person should know.
    """

    mode: str
    solver_name: str = ""
    status: str = ""
    objective: float = 0.0
    bound: float | None = None
    gap: float | None = None
    solve_seconds: float = 0.0
    lambda_token: float = 0.0
    lambda_switch: float = 0.0
    memory: tuple[MemoryUse, ...] = ()
    residency: tuple[Residency, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    violations: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class PlanStep:
    """A layer of parts was planned, or planned `again` for the reason given there.

    `layer` counts from 0, `subtask_ids` are ready, `ahead_ids` were looked ahead at.
    """

    layer: int
    subtask_ids: tuple[str, ...] = ()
    ahead_ids: tuple[str, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    routing: Routing | None = None
    again: str = ""


@dataclass(frozen=True)
class ParetoPoint:
    """A plan that no other beats in reliability, tokens and seconds.

    `reliability` is the probability that a majority of a part's models is right, were their errors
    independent, a tie counting half, in [0, 1]; the mean over parts. `seconds` last until the last
    part is answered, loads included; `memory_bytes` is the most that one pool uses, `voters` the
    models for each part. `chosen` is what the question's own settings give.
    """

    reliability: float
    tokens: int
    seconds: float
    loads: int = 0
    memory_bytes: int = 0
    voters: int = 0
    lambda_token: float = 0.0
    lambda_switch: float = 0.0
    assignments: tuple[Assignment, ...] = ()
    chosen: bool = False


@dataclass(frozen=True)
class Plan:
    """How a question is split and who works on what; `reason` says why it is split like this.

    `decomposed_by` is "rules", "model" or "none". `routing` says how the assignments were found,
    None from a coordinator that does not say. `frontier` holds the plans that no other beats, the
    most reliable first; it is empty unless asked for.
    """

    question_id: str
    subtasks: tuple[Subtask, ...]
    assignments: tuple[Assignment, ...] = ()
    reason: str = ""
    routing: Routing | None = None
    decomposed_by: str = ""
    frontier: tuple[ParetoPoint, ...] = ()

    def voters(self, subtask_id: str) -> tuple[Assignment, ...]:
        """Give who works on a part, in the order of the plan."""
        return tuple(one for one in self.assignments if one.subtask_id == subtask_id)
