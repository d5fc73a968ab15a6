"""One study of votes: which items, which seed, and where its ballots are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from quorate.models import pocket_models
from services.bench.node.peers import cache
from services.bench.suites import registry

if TYPE_CHECKING:
    from services.bench.suites.suite import Item, Split

LARGER_ITEMS = 100
"""Test items of each task that a larger electorate votes on: it asks for eighteen ballots each."""
FORMAT = 1
"""Of the records; ballots of another format are recorded anew."""


@dataclass(frozen=True)
class Study:
    """What is asked: so many test and calibration items, and items asked live, of each task."""

    suite: str
    tasks: tuple[str, ...]
    test: int
    calibration: int
    live: int
    seed: int

    def items(self, split: Split) -> Mapping[str, Sequence[Item]]:
        """Draw the items of a split by task."""
        suite = registry.find(self.suite)
        count = self.test if split == "test" else self.calibration
        return {task: suite.items(task, split, count, self.seed) for task in self.tasks}

    def live_items(self) -> Sequence[Item]:
        """Give the first test items of every task."""
        return [item for items in self.items("test").values() for item in items[: self.live]]

    def larger_items(self) -> Sequence[Item]:
        """Give the test items that a larger electorate votes on, too."""
        return [item for items in self.items("test").values() for item in items[:LARGER_ITEMS]]

    def ballots(self) -> Path:
        """Give the place of the ballots: another seed, suite or model is another file.

        How many items there are is not part of it: more of them go on from fewer.
        """
        return kept("vote", FORMAT, self.suite, self.seed)

    def described(self) -> Mapping[str, object]:
        """Give what was asked, for the result."""
        return {**asdict(self), "models": pocket_hashes()}


def kept(folder: str, layout: int, suite: str, seed: int) -> Path:
    """Give the file of what was said: another layout, suite, seed or model is another file."""
    about = {"format": layout, "suite": suite, "seed": seed, "models": pocket_hashes()}
    digest = hashlib.sha256(msgspec.json.encode(about, order="sorted")).hexdigest()[:12]
    return cache() / folder / f"{suite}-{seed}-{digest}.jsonl"


def pocket_hashes() -> Mapping[str, str]:
    """Give the SHA-256 of each pocket model's file."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(pocket_models().items())
    }
