"""One study of planning: its jobs, questions and seed, and where what came of them is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from services.bench.node.peers import cache
from services.bench.suites import registry
from services.bench.suites.code_math_mix import CodeMathMix
from services.bench.suites.workflow import Step
from services.bench.vote.study import pocket_hashes

if TYPE_CHECKING:
    from pathlib import Path

    from services.bench.suites.suite import Item
    from services.bench.suites.workflow import Job

FORMAT: Final = 1
"""Of the records; what came of jobs under another format is recorded anew."""
SUITE: Final = "workflowbench"
MIX_SUITE: Final = "code_math_mix"
CODE_TOKENS: Final = 96
MATH_TOKENS: Final = 64
"""What answers to these questions are expected to need."""


@dataclass(frozen=True)
class Study:
    """How much is asked: live jobs in every arm, live questions of two kinds, replayed jobs."""

    live: int
    mixed: int
    replayed: int
    seed: int

    def jobs(self, count: int) -> Sequence[Job]:
        """Draw the first jobs of the test split."""
        return registry.find_workflow(SUITE).jobs("test", count, self.seed)

    def mix(self, mix: str) -> Sequence[Item]:
        """Draw questions of both kinds, in an order."""
        return CodeMathMix().mixed("test", self.mixed, self.seed, mix)

    def kinds(self) -> Sequence[Step]:
        """Give one step of every type and length of answer that occurs, as parts of one question.

        To plans all steps of a kind are the same.
        """
        jobs = self.jobs(max(self.live, self.replayed))
        found = {kind_of(step): step for job in jobs for step in job.subtasks}
        return [
            step._replace(id=f"k{number}", depends_on=())
            for number, (_, step) in enumerate(sorted(found.items()), 1)
        ]

    def folder(self) -> Path:
        """Give the folder of what is kept: another seed or other models have another."""
        about = {"format": FORMAT, "seed": self.seed, "models": pocket_hashes()}
        digest = hashlib.sha256(msgspec.json.encode(about, order="sorted")).hexdigest()[:12]
        return cache() / "routing" / f"{self.seed}-{digest}"

    def described(self) -> Mapping[str, object]:
        """Give what was asked, for the result."""
        return {**asdict(self), "suite": SUITE, "mix_suite": MIX_SUITE, "models": pocket_hashes()}


def kind_of(step: Step) -> tuple[str, int]:
    """Give all that an estimate depends on: the type of a step, and its expected tokens."""
    return step.task_type, step.estimated_tokens


def step_of(item: Item) -> Step:
    """Write a single question as the only step of a job."""
    tokens = CODE_TOKENS if item.task == "code" else MATH_TOKENS
    text = item.question
    return Step("t1", text, (), item.task, item.gold, item.kind, tokens, "medium", item.checks)
