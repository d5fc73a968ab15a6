"""Reads a model's judgement of an answer. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from quorate.answers import Kind, extract

LONGEST_RATIONALE = 2_000
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "rationale": {"type": "string"},
        },
        "required": ["score", "rationale"],
    }
)
"""What a judging model is held to, where its engine can."""


@dataclass(frozen=True)
class Judgement:
    """How well an answer agrees with its reference, in [0, 1], and why."""

    score: float
    rationale: str


def read(text: str) -> Judgement | None:
    """Find {"score", "rationale"} in what a model said; None when there is no score in [0, 1].

    A score out of range is not bent into it: whoever says 8 may mean 8 of 10 or 8 of 100.
    """
    found = extract(text, Kind.JSON)
    value = json.loads(found.text) if found else None
    if not isinstance(value, dict):
        return None
    score, rationale = value.get("score"), value.get("rationale", "")
    if isinstance(score, bool) or not isinstance(score, int | float):
        return None
    if not math.isfinite(score) or not 0.0 <= score <= 1.0:
        return None
    return Judgement(
        float(score), rationale[:LONGEST_RATIONALE] if isinstance(rationale, str) else ""
    )
