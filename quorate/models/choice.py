"""What `fit` chooses from, what it is asked for, and what it gives. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from quorate.models.catalogue import Speciality
    from quorate.models.header import GgufHeader
    from quorate.models.memory import Layout, MemoryEstimate

CODE_USE: Final = 0.7
SMALLEST, LARGEST = 1e8, 1e10
"""Parameters at which quality is 0 and 1."""
MEMORY_BYTES_PER_SECOND: Final = 25e9
ACCELERATOR_BYTES_PER_SECOND: Final = 300e9
"""What a desktop's processor and a common card read; a token needs all weights once."""


class Preset(NamedTuple):
    """How much of the free memory may be used, and how many tokens/s each model must give."""

    memory_share: float
    tokens_per_second: float
    about: str


PRESETS: Final[Mapping[str, Preset]] = {
    "auto_fast": Preset(0.7, 10.0, "as good as fits, each model faster than a person reads"),
    "fast": Preset(0.5, 25.0, "small models, half of the memory"),
    "heavy": Preset(0.9, 0.0, "the best that fits, however slow"),
}


class Candidate(NamedTuple):
    """A model that may be taken; `on_disk` says whether it need not be pulled."""

    name: str
    title: str
    family: str
    speciality: Speciality
    header: GgufHeader
    on_disk: bool
    licence: str = ""

    @property
    def quality(self) -> float:
        """The prior of how good its answers are, in [0, 1]."""
        growth = math.log(max(self.header.parameters, 1) / SMALLEST)
        return min(1.0, max(0.0, growth / math.log(LARGEST / SMALLEST)))

    @property
    def worth(self) -> float:
        """What it adds to a set that has nothing of its family."""
        return self.quality * (CODE_USE if self.speciality == "code" else 1.0)


class Wish(NamedTuple):
    """What the set is for: bytes that may be used, and how it is spread."""

    preset: Preset
    memory_bytes: int
    accelerator_bytes: int = 0
    nodes: int = 1
    models_per_node: int = 2
    context_tokens: int = 4096
    slots: int = 8


class Choice(NamedTuple):
    """A model of the proposed set, where its layers and its cache lie, and what it will take."""

    candidate: Candidate
    gpu_layers: int
    memory: MemoryEstimate
    kv_layout: Layout = "auto"

    @property
    def tokens_per_second(self) -> float:
        """How fast one stream is, about: weights are read once for each token."""
        speed = ACCELERATOR_BYTES_PER_SECOND if self.gpu_layers else MEMORY_BYTES_PER_SECOND
        return speed / max(self.memory.weights_bytes, 1)


class Proposal(NamedTuple):
    """The best set, node by node, its value by the formula, and the bytes that it leaves."""

    nodes: tuple[tuple[Choice, ...], ...]
    value: float
    left_bytes: int
    accelerator_left_bytes: int

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All models, node by node."""
        return tuple(choice for node in self.nodes for choice in node)

    @property
    def to_pull(self) -> tuple[str, ...]:
        """The names of models that are not on disk."""
        return tuple(
            choice.candidate.name for choice in self.choices if not choice.candidate.on_disk
        )
