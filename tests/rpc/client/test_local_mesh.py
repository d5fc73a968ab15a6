"""Local meshes as a user runs them: real services, real certificates, a real model."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from quorate.cli.exits import Exit
from quorate.client import Client, local_mesh
from quorate.errors import NoMesh

if TYPE_CHECKING:
    from quorate.client.local_mesh import MeshState

QUORATE = (sys.executable, "-m", "quorate.cli")
SMALL = "nodes: [{name: n1, models: [{name: abacus}]}]\n"
LIMIT_SECONDS = 60.0

pytestmark = pytest.mark.slow


@pytest.fixture
def topology(tmp_path: Path) -> Path:
    """One node with one model: what is tested here does not grow with the mesh."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the home of one mesh for all tests that only ask."""
    directory = tmp_path_factory.mktemp("shared")
    topology = directory / "small.yaml"
    topology.write_text(SMALL)
    detached(directory, topology)
    yield directory
    assert quorate(directory, "down").returncode == Exit.OK


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[list[Path]]:
    """Give two homes; whatever a test leaves running in them is ended."""
    made = [tmp_path / "one", tmp_path / "two"]
    yield made
    for home in made:
        mesh = local_mesh.find(home)
        if mesh:
            os.kill(mesh.supervisor.pid, signal.SIGKILL)


@pytest.fixture
def home(homes: list[Path]) -> Path:
    return homes[0]


def quorate(home: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*QUORATE, command, "--home", str(home), *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def detached(home: Path, topology: Path) -> MeshState:
    started = quorate(home, "up", "--detach", "--topology", str(topology))
    assert started.returncode == Exit.OK, started.stdout + started.stderr
    return local_mesh.running(home)


@contextmanager
def starting(home: Path, topology: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a mesh in the foreground; the block may read what it says."""
    with subprocess.Popen(
        [*QUORATE, "up", "--home", str(home), "--topology", str(topology)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process


@contextmanager
def foreground(home: Path, topology: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a mesh in the foreground and wait until it says that it is ready."""
    with starting(home, topology) as process:
        assert process.stdout is not None
        assert any(line.startswith("The mesh is ready") for line in process.stdout)
        yield process


def family(mesh: MeshState) -> list[psutil.Process]:
    """Give every process of a mesh: the supervisor, the services and their engines."""
    first = psutil.Process(mesh.supervisor.pid)
    return [first, *first.children(recursive=True)]


def assert_all_gone(processes: list[psutil.Process]) -> None:
    # The kernel's signal to the children of a killed process takes a moment to be acted upon.
    _, alive = psutil.wait_procs(processes, timeout=10)
    left = [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    assert not left


def ask(home: Path, question: str = "What is 10% of 1000?") -> dict[str, Any]:
    asked = quorate(home, "ask", question, "--json")
    assert asked.returncode == Exit.OK, asked.stdout + asked.stderr
    answer: dict[str, Any] = json.loads(asked.stdout)
    return answer


def test_detached_mesh_answers_reports_and_ends_without_a_trace(home: Path, topology: Path) -> None:
    mesh = detached(home, topology)
    assert mesh.ready
    processes = family(mesh)
    assert len(processes) >= 5  # up, coordinator, synthesizer, node, engine

    answer = ask(home)
    assert answer["quorum"] == {"asked": 1, "answered": 1}
    assert [ballot["status"] for ballot in answer["ballots"]] == ["valid"]
    assert answer["answer"] == answer["parts"][0]["answer"]

    status = json.loads(quorate(home, "status", "--json").stdout)
    assert [one["key"] for one in status["processes"]] == [
        "up",
        "synthesizer",
        "coordinator",
        "node-n1",
    ]
    assert all(one["alive"] and one["memory_bytes"] > 0 for one in status["processes"])
    assert status["nodes"][0]["models"][0]["state"] == "ready"

    assert quorate(home, "down").returncode == Exit.OK
    assert_all_gone(processes)
    assert quorate(home, "status").returncode == Exit.NO_MESH


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, Exit.INTERRUPTED),
        (signal.SIGHUP, Exit.OK),
    ],
)
def test_every_way_to_end_up_ends_all_children(
    number: signal.Signals, code: Exit, home: Path, topology: Path
) -> None:
    with foreground(home, topology) as up:
        processes = family(local_mesh.running(home))
        up.send_signal(number)
        assert up.wait(LIMIT_SECONDS) == code
    assert_all_gone(processes)
    assert local_mesh.find(home) is None


def test_killing_up_leaves_no_orphan(home: Path, topology: Path) -> None:
    with foreground(home, topology) as up:
        processes = family(local_mesh.running(home))
        up.kill()
    assert_all_gone(processes)
    assert quorate(home, "ask", "2+2?").returncode == Exit.NO_MESH
    detached(home, topology)  # what it left behind does not keep another from starting
    assert quorate(home, "down").returncode == Exit.OK


def test_interrupting_the_start_leaves_nothing(home: Path, topology: Path) -> None:
    with starting(home, topology) as up:
        assert up.stdout is not None
        up.stdout.readline()  # the first service can be called, the others cannot yet
        first = psutil.Process(up.pid)
        processes = [first, *first.children(recursive=True)]
        up.send_signal(signal.SIGINT)
        assert up.wait(LIMIT_SECONDS) == Exit.INTERRUPTED
    assert_all_gone(processes)


def test_two_homes_hold_two_meshes_and_one_home_holds_one(
    homes: list[Path], topology: Path
) -> None:
    first, second = (detached(home, topology) for home in homes)
    assert first.coordinator != second.coordinator
    for home in homes:
        assert ask(home)["quorum"]["asked"] == 1
    again = quorate(homes[0], "up", "--detach", "--topology", str(topology))
    assert again.returncode == Exit.MESH_RUNNING
    assert "running already" in again.stderr
    for home in homes:
        assert quorate(home, "down").returncode == Exit.OK


def test_killed_services_are_started_again_at_their_address(home: Path, topology: Path) -> None:
    mesh = detached(home, topology)
    coordinator = next(one for one in mesh.services if one.role == "coordinator")
    psutil.Process(coordinator.process.pid).kill()
    wait_for(lambda: restarts(home, coordinator.key) == 1)
    assert local_mesh.running(home).coordinator == mesh.coordinator
    wait_for(lambda: quorate(home, "nodes", "--json").stdout.count('"state": "ready"') == 1)
    assert ask(home)["quorum"]["answered"] == 1
    assert quorate(home, "down").returncode == Exit.OK


def restarts(home: Path, key: str) -> int:
    return next(one.restarts for one in local_mesh.running(home).services if one.key == key)


def wait_for(condition: Any) -> None:
    limit = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < limit


def test_a_model_that_cannot_be_loaded_ends_the_start_with_the_reason(
    home: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF but not really" * 10)
    topology = tmp_path / "bad.yaml"
    topology.write_text("nodes: [{name: n1, models: [{name: bad, path: bad.gguf}]}]")
    started = quorate(home, "up", "--detach", "--topology", str(topology))
    assert started.returncode == Exit.FAILED
    assert "bad.gguf" in started.stderr
    assert "Traceback" not in started.stderr
    with pytest.raises(NoMesh):
        local_mesh.running(home)


def test_ctrl_c_in_ask_cancels_the_question_and_the_mesh_goes_on(shared: Path) -> None:
    with subprocess.Popen(
        [*QUORATE, "ask", "--home", str(shared), *["What is 10% of 1000?"] * 2000],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as asking:
        assert asking.stdout is not None
        assert any(line.startswith("t1") for line in asking.stdout)
        asking.send_signal(signal.SIGINT)
        _, err = asking.communicate(timeout=LIMIT_SECONDS)
    assert asking.returncode == Exit.INTERRUPTED
    assert err == "quorate: interrupted\n"
    with Client.from_mesh(shared) as client:
        wait_for(lambda: client.nodes()[0].in_flight == 0)
    assert ask(shared)["answer"]


def test_insecure_mesh_answers_without_certificates(home: Path, topology: Path) -> None:
    started = quorate(home, "up", "--detach", "--insecure", "--topology", str(topology))
    assert started.returncode == Exit.OK, started.stderr
    assert not (home / "certs").exists()
    assert ask(home)["answer"]
    assert quorate(home, "down").returncode == Exit.OK


def test_question_shows_its_vote_in_lines_when_nobody_watches(shared: Path) -> None:
    shown = quorate(shared, "ask", "What is 10% of 1000?")
    assert shown.returncode == Exit.OK
    assert "\x1b" not in shown.stdout
    assert re.search(r"^t1 n1/abacus votes: ", shown.stdout, re.MULTILINE)
    assert re.search(r"^answer  \S", shown.stdout, re.MULTILINE)
    assert "quorum  1 of 1 answered" in shown.stdout


def test_unknown_strategy_is_named_with_its_nearest(shared: Path) -> None:
    wrong = quorate(shared, "ask", "2+2?", "--strategy", "majorty", "--json")
    assert wrong.returncode == Exit.USAGE
    error = json.loads(wrong.stdout)["error"]
    assert error["kind"] == "UNKNOWN_STRATEGY"
    assert "majority" in error["message"]


def test_plan_splits_without_asking(shared: Path) -> None:
    question = "Calculate 10% of 1000 then find best savings accounts"
    plan = json.loads(quorate(shared, "plan", question, "--json").stdout)
    assert [one["id"] for one in plan["subtasks"]] == ["t1", "t2"]


def test_demo_answers_its_three_questions_and_leaves_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*QUORATE, "demo", "--home", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=2 * LIMIT_SECONDS,
        check=False,
    )
    assert ended.returncode == Exit.OK, ended.stdout + ended.stderr
    assert ended.stdout.count("\nanswer  ") == 3
    assert ended.stdout.endswith("Every process has ended.\n")
    assert local_mesh.find(tmp_path) is None
