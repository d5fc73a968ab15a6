"""The journal writes exactly the fields that docs/planning.md lists, event by event."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from quorate import errors
from quorate.v1 import coordinator_pb2

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[3] / "docs" / "planning.md"
EVERY_LINE = {"time", "event", "job_id"}
CHAIN = [
    coordinator_pb2.Subtask(id="t1", text="What is 2 * 3?"),
    coordinator_pb2.Subtask(id="t2", text="Double it.", depends_on=["t1"]),
]


def documented() -> dict[str, set[str]]:
    """Give the fields of each event, as the document lists them."""
    section = PAGE.read_text("utf-8").partition("\n## The journal\n")[2].partition("\n## ")[0]
    assert all(f"`{field}`" in section.partition("**")[0] for field in EVERY_LINE)
    events = re.split(r"^\*\*`(\w+)`\*\*", section, flags=re.MULTILINE)[1:]
    return {
        event: set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
        for event, text in zip(events[::2], events[1::2], strict=True)
    }


def read(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


async def lines_of(path: Path, last: str) -> list[dict[str, Any]]:
    """Wait for the thread that writes, and give its lines."""
    async with asyncio.timeout(5):
        while True:
            lines = read(path)
            if lines and f'"event":"{last}"' in lines[-1]:
                return [json.loads(line) for line in lines]
            await asyncio.sleep(0.02)


async def test_every_field_that_is_written_is_documented_and_no_other(
    bare_mesh, script, tmp_path: Path
) -> None:
    path = tmp_path / "plans.jsonl"
    await bare_mesh.start(journal=path)
    await bare_mesh.node("n1", atlas=script.says("6"), forge=script.says("6"))
    await bare_mesh.ask("Do it.", subtasks=CHAIN, routing="mip", max_models=1, horizon=1)
    lines = await lines_of(path, "job_dag_summary")
    written: dict[str, set[str]] = {}
    for line in lines:
        fields = written.setdefault(line["event"], set(line) - EVERY_LINE)
        assert fields == set(line) - EVERY_LINE
    assert written == documented()


async def test_a_question_without_an_answer_has_a_summary_too(
    bare_mesh, script, tmp_path: Path
) -> None:
    path = tmp_path / "plans.jsonl"
    await bare_mesh.start(journal=path)
    await bare_mesh.node("n1", atlas=script.fails(errors.ModelCrashed("it died")))
    with pytest.raises(errors.QuorateError):
        await bare_mesh.ask("What is 2 * 3?")
    lines = await lines_of(path, "job_dag_summary")
    summary = lines[-1]
    # Everybody votes here, so that nothing is planned by layers.
    assert [line["event"] for line in lines] == [
        "job",
        "dag_structure",
        "subtask",
        summary["event"],
    ]
    assert (summary["subtasks_answered"], summary["answer"]) == (0, "")
    assert list(summary["failures"]) == ["t1"]
