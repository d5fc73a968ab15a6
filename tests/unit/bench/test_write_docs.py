"""Figures get into the documents from the results, and from nowhere else."""

import json

import pytest

from services.bench import write_docs

DOCUMENT = "before\n<!-- figures:node -->\nstale\n<!-- /figures -->\nafter\n"
FIGURE = {
    "name": "speed", "value": 12345.6, "unit": "tok/s", "peer": "other", "peer_value": 1.23456,
    "ratio": 2.0, "goal": ">= 1.00", "holds": True, "runs": 3, "min": 1.0, "max": 20000.0,
}  # fmt: skip
MACHINE = {
    "versions": {"quorate": "1"}, "measured_at": "2026-11-21T00:00:00", "cores": 4,
    "processor": "X", "python": "3.11", "setup": "servers on cores 0, 1",
}  # fmt: skip


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(write_docs, "RESULTS", tmp_path)
    return tmp_path


def test_a_result_stands_in_its_place_with_who_ran_where(results):
    (results / "node.json").write_text(json.dumps({"figures": [FIGURE], "machine": MACHINE}))
    written = write_docs.updated(DOCUMENT)
    assert "stale" not in written
    assert "| speed | 12,346 tok/s | other | 1.235 tok/s | 2.000 | >= 1.00 holds | 3 |" in written
    assert "on 4 cores of X (servers on cores 0, 1);" in written
    assert write_docs.updated(written) == written


def test_what_has_not_been_measured_says_so_with_the_command(results):
    assert "Not measured yet. `make bench-node` does" in write_docs.updated(DOCUMENT)
