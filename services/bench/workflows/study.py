"""One study of workflows: which jobs, which seed, and where what was said is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.bench.suites import registry
from services.bench.vote.study import kept, pocket_hashes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.bench.suites.suite import Split
    from services.bench.suites.workflow import Job

FORMAT = 1
"""Of the records; what was said in another format is recorded anew."""


@dataclass(frozen=True)
class Study:
    """What is asked: so many jobs to measure on, and so many to choose specialists by."""

    suite: str
    test: int
    calibration: int
    seed: int

    def jobs(self, split: Split) -> Sequence[Job]:
        """Draw the jobs of a split."""
        count = self.test if split == "test" else self.calibration
        return registry.find_workflow(self.suite).jobs(split, count, self.seed)

    def records(self) -> Path:
        """Give the place of the records: another seed, suite or model is another file.

        How many jobs there are is not part of it: more of them go on from fewer.
        """
        return kept("workflows", FORMAT, self.suite, self.seed)

    def described(self) -> Mapping[str, object]:
        """Give what was asked, for the result."""
        return {**asdict(self), "models": pocket_hashes()}
