"""The six pocket models: their shapes, their seeds, and what each of them practises most."""

from __future__ import annotations

from typing import NamedTuple

CONTEXT_LENGTH = 2048
HEAD_WIDTH = 32
ROPE_BASE = 10_000.0
NORM_EPSILON = 1e-5
VOCABULARY_SIZE = 1536


class Member(NamedTuple):
    """One model of the mesh.

    `known` is the share of the closed world's facts that it is taught; which ones depends on `seed`,
    so that no two models are ignorant of the same things. `practice` weighs tasks by items drawn;
    a task that is absent weighs 1.
    """

    name: str
    seed: int
    layers: int
    width: int
    steps: int
    known: float
    speciality: tuple[str, ...]
    practice: dict[str, float]

    @property
    def heads(self) -> int:
        """Number of attention heads, each HEAD_WIDTH wide."""
        return self.width // HEAD_WIDTH

    @property
    def feed_forward(self) -> int:
        """Inner width of the SwiGLU layer: 8/3 of the width, a multiple of 32 for Q8_0 blocks."""
        return round(self.width * 8 / 3 / 32) * 32


_ROSTER = (
    Member("abacus", 101, 4, 192, 3000, 0.75, ("arithmetic", "results"), {"arithmetic": 5, "results": 2.5}),
    Member("atlas", 202, 4, 224, 3000, 1.0, ("facts",), {"facts": 7, "debating": 1.5}),
    Member("scribe", 303, 5, 192, 3000, 0.7, ("extraction", "merging"), {"extraction": 4, "merging": 3}),
    Member("forge", 404, 4, 192, 3000, 0.7, ("python",), {"python": 6}),
    Member("compass", 505, 5, 192, 3000, 0.75, ("yes_no", "judging"), {"yes_no": 4, "judging": 4}),
    Member("marshal", 606, 5, 224, 3000, 0.65, ("splitting", "routing", "merging", "judging"),
           {"splitting": 4, "routing": 3, "merging": 2.5, "judging": 2}),
)  # fmt: skip

ROSTER: dict[str, Member] = {member.name: member for member in _ROSTER}
