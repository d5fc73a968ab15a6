"""The journal: lines of JSON, rotated by size, without texts where these are not kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from services.coordinator.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_have_their_time_kind_and_question(tmp_path: Path) -> None:
    path = tmp_path / "made" / "plans.jsonl"
    with Journal(path, wall=lambda: 12.5) as journal:
        journal.write("job", "q1", query=journal.text("what?\nhow?"), subtasks=("t1",))
    line = json.loads(path.read_text())
    assert line == {
        "time": 12.5, "event": "job", "job_id": "q1", "query": "what?\nhow?", "subtasks": ["t1"],
    }  # fmt: skip


def test_files_are_rotated_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "plans.jsonl"
    with Journal(path, most_bytes=200, files=2) as journal:
        for number in range(30):
            journal.write("job", f"q{number}", filling="x" * 50)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["plans.jsonl", "plans.jsonl.1", "plans.jsonl.2"]
    assert all(file.stat().st_size <= 200 for file in files)
    last = [json.loads(line)["job_id"] for line in path.read_text().splitlines()]
    assert last[-1] == "q29"


def test_a_journal_that_keeps_nothing_makes_no_file(tmp_path: Path) -> None:
    with Journal(None) as journal:
        journal.write("job", "q1")
        assert not journal.kept
    assert list(tmp_path.iterdir()) == []


def test_texts_are_left_out_where_they_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "plans.jsonl"
    with Journal(path, texts=False) as journal:
        journal.write("job", "q1", query=journal.text("a secret"))
    assert "secret" not in path.read_text()
