"""Who is best at what on a real mesh: feedback moves the estimates that the table shows."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quorate.client import Client
from quorate.prompts import TASK_TYPES
from tests.e2e.conftest import QUORATE

MODELS = {"abacus", "atlas", "scribe", "forge", "compass", "marshal"}


def specialists(home: Path, *options: str) -> str:
    """Run the command and give what it prints."""
    command = [*QUORATE, "weights", "specialists", "--home", str(home), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def listed(home: Path) -> dict[str, dict[str, dict[str, Any]]]:
    models = json.loads(specialists(home, "--json"))["models"]
    return {one["model"]: one["estimates"] for one in models}


def test_judged_answers_move_the_estimates_and_the_mark(
    home: Path, ask: Callable[..., dict[str, Any]]
) -> None:
    before = listed(home)
    assert set(before) == MODELS
    assert all(set(estimates) == set(TASK_TYPES) for estimates in before.values())
    asked = [ask(f"What is {n} + {n}?", "--ground-truth", str(2 * n)) for n in (11, 12)]
    right = {
        one["model"]
        for answer in asked
        for one in answer["ballots"]
        if one["answer"] == answer["answer"]
    }
    after = listed(home)
    grown = {
        model for model in MODELS if after[model]["math"]["items"] > before[model]["math"]["items"]
    }
    assert grown >= right != set()
    highest = max(estimates["math"]["reliability"] for estimates in after.values())
    for estimates in after.values():
        for kind, one in estimates.items():
            assert 0.0 <= one["reliability"] <= 1.0
            if kind == "math":
                assert one["best"] == (one["reliability"] == highest)


def test_the_table_shows_what_the_coordinator_plans_with(home: Path) -> None:
    shown = specialists(home)
    assert max(map(len, shown.splitlines()[:13])) <= 80
    assert all(f"\n{model} " in shown for model in MODELS)
    with Client.from_mesh(home) as client:
        part = {"id": "t1", "text": "2+2?", "task_type": "math"}
        plan = client.plan("Do it.", subtasks=[part], routing="mip", max_models=1)
    assert plan.routing is not None
    estimates = listed(home)
    for one in plan.routing.estimates:
        assert estimates[one.model]["math"]["reliability"] == one.reliability
