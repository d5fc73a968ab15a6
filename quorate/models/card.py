"""How often a pocket model is right by task type, as its card measured it on held-out items."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources


def pocket_reliability(model: str) -> Mapping[str, float]:
    """Give P(right) by task type, in [0, 1]; nothing for a model that is none of the pocket's."""
    return _card().get(model, {})


@functools.cache
def _card() -> Mapping[str, Mapping[str, float]]:
    text = resources.files("quorate.models").joinpath("pocket/accuracy.json").read_text("utf-8")
    card = json.loads(text)
    return {
        model: {kind: tasks[task]["accuracy"] for task, kind in card["task_types"].items()}
        for model, tasks in card["accuracy"].items()
    }
