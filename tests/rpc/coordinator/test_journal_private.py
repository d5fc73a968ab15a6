"""A journal that keeps no texts holds no word of a question, of an answer or of a planner's reply.

Reasons, notes and messages of errors may quote all of them.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from quorate import errors

pytestmark = pytest.mark.anyio

QUESTION = "Where was Aloysius Grey born? What is 12 * 3?"


async def quoting(request: Any, context: Any) -> None:
    raise errors.ModelCrashed(f"it choked on {request.messages[-1].content!r}")


def quotes_when_planning(script: Any) -> Any:
    """Give a model that quotes the question whatever it is asked, and never answers."""

    async def behave(request: Any, context: Any) -> None:
        planning = request.sampling.WhichOneof("constraint") is not None
        then = script.says("Aloysius Grey is no JSON") if planning else quoting
        await then(request, context)

    return behave


async def told(mesh: Any, script: Any, path: Path, **settings: object) -> list[dict[str, Any]]:
    await mesh.start(journal=path, **settings)
    await mesh.node("n1", atlas=quotes_when_planning(script), forge=quotes_when_planning(script))
    with pytest.raises(errors.QuorateError):
        await mesh.ask(QUESTION, decompose="DECOMPOSE_MODE_MODEL", routing="model", max_models=1)
    async with asyncio.timeout(5):
        while not (lines := read(path)) or lines[-1]["event"] != "job_dag_summary":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return lines


def read(path: Path) -> list[dict[str, Any]]:
    text = path.read_text("utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def field(lines: list[dict[str, Any]], event: str, name: str) -> list[Any]:
    return [line[name] for line in lines if line["event"] == event]


async def test_without_texts_nothing_quotes_the_question(bare_mesh, script, tmp_path: Path) -> None:
    path = tmp_path / "plans.jsonl"
    lines = await told(bare_mesh, script, path, record_texts=False)
    assert "Aloysius" not in path.read_text("utf-8")
    assert "Grey" not in path.read_text("utf-8")
    again = field(lines, "plan_step", "again")
    assert (again[0], again[-1]) == ("", "planned again")
    assert set(field(lines, "job_dag_summary", "failures")[0].values()) <= {
        "MODEL_CRASHED", "NO_QUORUM", "NO_PLAN",
    }  # fmt: skip


async def test_with_texts_the_same_lines_say_why(bare_mesh, script, tmp_path: Path) -> None:
    lines = await told(bare_mesh, script, tmp_path / "plans.jsonl")
    assert field(lines, "job", "reason")[0]
    assert "planning model" in field(lines, "plan_step", "note")[0]
    assert "Aloysius" in field(lines, "plan_step", "again")[-1]
    assert " " in field(lines, "job_dag_summary", "failures")[0]["t1"]  # words, not a kind
