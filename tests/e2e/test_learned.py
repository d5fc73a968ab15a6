"""What was learned, and records of answers, by the command line on a real mesh."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def weights(home: Path) -> Callable[..., str]:
    """Run a command about weights and give what it prints."""

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "quorate.cli", "weights", *arguments, "--home", str(home)]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    return run


def test_weights_are_shown_exported_reset_and_imported(weights, ask, home, tmp_path: Path) -> None:
    asked = ask("What is 47 + 38?")
    shown = json.loads(weights("show", "--json"))
    assert set(shown) == {"reliabilities", "pairs", "calibrations", "durations"}
    assert shown["durations"]
    assert shown["pairs"]
    file = tmp_path / "weights.json"
    weights("export", str(file))
    assert json.loads(file.read_text())["together"]
    assert "rows are forgotten" in weights("reset", "--yes")
    assert not json.loads(weights("show", "--json"))["pairs"]
    weights("import", str(file), "--yes")
    again = json.loads(weights("show", "--json"))
    assert again["pairs"] == shown["pairs"]
    assert asked["question_id"]
    assert (home / "state").stat().st_mode & 0o777 == 0o700


def test_an_answer_is_decided_again_by_its_id_and_from_its_file(
    command, ask, tmp_path: Path
) -> None:
    asked = ask("What is 12 * 9?")
    file = tmp_path / "answer.json"
    told = json.loads(command("replay", asked["question_id"], "--save", str(file), "--json").stdout)
    assert told["versions_differ"] == []
    assert [part["same"] for part in told["parts"]] == [True]
    assert told["parts"][0]["answer"] == asked["answer"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    other = command("replay", str(file), "--strategy", "weighted")
    assert "weighted: " in other.stdout
    data = json.loads(file.read_text())
    data["versions"]["quorate"] = "0.0.1"
    file.write_text(json.dumps(data))
    assert "versions differ: quorate 0.0.1 then" in command("replay", str(file)).stdout
