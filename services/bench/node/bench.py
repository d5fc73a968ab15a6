"""What every part of the benchmark is given: the peers, the models, the cores, how thorough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from services.bench.node import models

if TYPE_CHECKING:
    from rich.console import Console

    from services.bench.node.peers import Peers
    from services.bench.node.servers import Place

REST_SECONDS: Final = 0.3
"""Between two turns: llama.cpp's threads go on spinning for a while after a step."""


@dataclass(frozen=True)
class Bench:
    """One run.

    `passes` is how often ours and the peer take turns; `shapes` and `clients` say for which models,
    and for how many at once, the throughput is measured.
    """

    peers: Peers
    place: Place
    folder: Path
    passes: int
    quick: bool
    shapes: Sequence[str]
    clients: Sequence[int]
    console: Console

    def model(self, name: str) -> Path:
        """Give a model's file."""
        return models.bring(name, self.folder / "models", self.peers.vocabularies, self.console)
