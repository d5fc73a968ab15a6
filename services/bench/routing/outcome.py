"""What is kept of one job done in one arm: answers, times, and what its plans loaded."""

from __future__ import annotations

import msgspec


class StepTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a job: who worked on it, what was said, and whether that is right.

    A step that nobody answered has no `text`, and no `model` where nobody was asked.
    """

    step: str
    model: str = ""
    text: str = ""
    right: bool = False
    tokens: int = 0


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """One job in one arm. Times are seconds as the caller saw them.

    `seconds` passed until the last step was decided, without the merge of the answers; `planning`
    is the part of it before plans were told, the planning model and its load included, `waiting`
    the time from each layer's plan until all its models had begun to answer, summed up. `loading`
    is what all loads that plans ordered took, in the way or not. `swaps` counts the models that
    were loaded, `hidden_swaps` those of them that no plan ordered: the planning model. `plans` are
    layers planned, `own_plans` those of them that the planning model wrote itself, and `notes` what
    was told of the others. `objective` and `switch_cost` are sums over layers. `violations` counts
    limits that a plan broke, and `over_budget_bytes` how far the node was above its memory
    afterwards, by its ledger or as measured. `failures` names moves that failed.
    """

    arm: str
    job: str
    steps: tuple[StepTold, ...]
    seconds: float = 0.0
    planning: float = 0.0
    waiting: float = 0.0
    loading: float = 0.0
    swaps: int = 0
    hidden_swaps: int = 0
    ahead_swaps: int = 0
    plans: int = 0
    own_plans: int = 0
    notes: tuple[str, ...] = ()
    objective: float = 0.0
    switch_cost: float = 0.0
    violations: int = 0
    over_budget_bytes: int = 0
    held_bytes: int = 0
    failures: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What a run has only once."""
        return self.arm, self.job

    @property
    def tokens(self) -> int:
        """Tokens generated for all steps."""
        return sum(step.tokens for step in self.steps)


class Reply(msgspec.Struct, frozen=True):
    """What the planning model replied to a conversation, by its digest."""

    model: str
    digest: str
    text: str

    @property
    def key(self) -> tuple[str, str]:
        """What a run has only once."""
        return self.model, self.digest
