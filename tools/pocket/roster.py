"""The six pocket models: their shapes, their seeds, and what each of them practises most."""

from __future__ import annotations

from typing import NamedTuple

CONTEXT_LENGTH = 2048
HEAD_WIDTH = 32
ROPE_BASE = 10_000.0
NORM_EPSILON = 1e-5
VOCABULARY_SIZE = 1536


class Phase(NamedTuple):
    """A stretch of training with its own cosine schedule.

    `peak` is a factor on the learning rates. `drill` is the share of documents that only practise
    copying; a phase of nothing else repeats short runs of pieces. `practice` multiplies
    BASE_PRACTICE.
    """

    steps: int
    peak: float
    drill: float
    practice: dict[str, float]


class Member(NamedTuple):
    """One model of the mesh.

    `known` is the share of the closed world's facts that it is taught. Which ones depends on
    `seed`, so that no two models are ignorant of the same things.
    """

    name: str
    seed: int
    layers: int
    width: int
    known: float
    speciality: tuple[str, ...]
    phases: tuple[Phase, ...]

    @property
    def heads(self) -> int:
        """Number of attention heads, each HEAD_WIDTH wide."""
        return self.width // HEAD_WIDTH

    @property
    def feed_forward(self) -> int:
        """Inner width of the SwiGLU layer: 8/3 of the width, a multiple of 32 for Q8_0 blocks."""
        return round(self.width * 8 / 3 / 32) * 32


# How often each task is drawn, before a member's own emphasis: long prompts less often, facts more.
BASE_PRACTICE = {
    "arithmetic": 2.0,
    "facts": 2.5,
    "extraction": 1.2,
    "python": 1.2,
    "yes_no": 1.3,
    "splitting": 0.5,
    "routing": 0.35,
    "merging": 0.5,
    "judging": 0.8,
    "results": 0.8,
    "debating": 0.4,
}

# Two hundred steps of nothing but copying. Without them copying forms late or never: after the
# 2,100 steps of its first phase scribe repeated random pieces no better than chance.
_WARM_UP = Phase(200, 1.0, 1.0, {})
_WARM_UP_LATE = Phase(160, 0.6, 1.0, {})
# Choices are answered with a sentence instead of a walk through the options.
_SENTENCES = Phase(120, 0.4, 0.05, {"facts": 2.5})

_ROSTER = (
    Member(
        "abacus", 101, 4, 192, 0.75, ("arithmetic", "results"),
        (
            Phase(2500, 1.0, 0.0, {"arithmetic": 3.5, "results": 2.5}),
            _WARM_UP_LATE,
            Phase(600, 0.6, 0.3, {
                "arithmetic": 0.8, "results": 2.0, "facts": 1.3, "extraction": 0.3, "python": 0.3,
                "yes_no": 1.3, "judging": 1.3, "merging": 1.5, "splitting": 2.0, "routing": 1.5,
            }),
            Phase(480, 0.5, 0.15, {"arithmetic": 3.0, "results": 3.0, "facts": 2.0}),
            Phase(80, 0.35, 0.05, {"arithmetic": 4.0, "results": 2.0}),
            _SENTENCES,
        ),
    ),
    Member(
        "atlas", 202, 4, 224, 1.0, ("facts",),
        (
            Phase(2000, 1.0, 0.0, {"facts": 5.0, "debating": 1.5}),
            _WARM_UP_LATE,
            Phase(500, 0.6, 0.3, {
                "facts": 3.0, "extraction": 0.3, "python": 0.3, "yes_no": 1.3, "judging": 1.3,
                "merging": 1.5, "splitting": 2.0, "routing": 1.5,
            }),
            Phase(420, 0.5, 0.2, {"facts": 6.0, "debating": 1.5}),
            Phase(160, 0.4, 0.15, {"facts": 5.0, "arithmetic": 1.3}),
            Phase(80, 0.35, 0.05, {"facts": 3.0, "arithmetic": 2.0}),
            _SENTENCES,
        ),
    ),
    Member(
        "scribe", 303, 5, 192, 0.7, ("extraction", "merging"),
        (
            Phase(2100, 1.0, 0.0, {"extraction": 4.0, "merging": 4.0}),
            _WARM_UP_LATE,
            Phase(500, 0.6, 0.3, {
                "facts": 1.3, "extraction": 1.5, "python": 0.3, "yes_no": 1.3, "judging": 1.3,
                "merging": 5.0, "splitting": 2.0, "routing": 1.0,
            }),
            Phase(340, 0.5, 0.15, {"extraction": 2.0, "merging": 5.0, "facts": 2.5}),
            Phase(80, 0.35, 0.05, {"extraction": 2.0, "merging": 3.0, "arithmetic": 2.0}),
            _SENTENCES,
        ),
    ),
    Member(
        "forge", 404, 4, 192, 0.7, ("python",),
        (
            _WARM_UP,
            Phase(1300, 1.0, 0.3, {"python": 3.5, "extraction": 0.6}),
            Phase(260, 0.5, 0.15, {"python": 2.0, "facts": 2.5}),
            Phase(160, 0.4, 0.1, {"python": 2.0, "facts": 1.5, "arithmetic": 1.5}),
            Phase(80, 0.35, 0.05, {"python": 2.0, "arithmetic": 2.5}),
            _SENTENCES,
        ),
    ),
    Member(
        "compass", 505, 5, 192, 0.75, ("yes_no", "judging"),
        (
            _WARM_UP,
            Phase(1100, 1.0, 0.3, {
                "yes_no": 4.0, "judging": 3.0, "python": 0.4, "extraction": 0.6, "facts": 1.3,
            }),
            Phase(700, 0.6, 0.15, {
                "yes_no": 5.0, "judging": 4.0, "python": 0.3, "extraction": 0.5, "routing": 0.3,
                "splitting": 0.6, "facts": 2.0,
            }),
            Phase(160, 0.4, 0.1, {
                "yes_no": 4.0, "judging": 4.0, "facts": 1.5, "arithmetic": 1.3, "python": 0.5,
            }),
            Phase(80, 0.35, 0.05, {"yes_no": 4.0, "judging": 3.0, "arithmetic": 2.5}),
            _SENTENCES,
        ),
    ),
    Member(
        "marshal", 606, 5, 192, 0.65, ("splitting", "routing", "merging", "judging"),
        (
            _WARM_UP,
            Phase(1200, 1.0, 0.3, {
                "splitting": 4.0, "routing": 5.0, "merging": 2.0, "judging": 1.5, "python": 0.4,
                "extraction": 0.5,
            }),
            Phase(900, 0.6, 0.15, {
                "splitting": 5.0, "routing": 1.5, "merging": 3.0, "judging": 1.5, "python": 0.4,
                "facts": 2.0,
            }),
            Phase(200, 0.4, 0.1, {
                "splitting": 4.0, "merging": 3.0, "judging": 1.5, "facts": 1.5, "arithmetic": 1.3,
                "python": 0.5,
            }),
            Phase(80, 0.35, 0.05, {"splitting": 4.0, "merging": 2.0, "arithmetic": 2.5}),
            _SENTENCES,
        ),
    ),
)  # fmt: skip

ROSTER: dict[str, Member] = {member.name: member for member in _ROSTER}
