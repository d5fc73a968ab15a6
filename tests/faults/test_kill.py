"""Processes are killed without warning while a question is being answered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from quorate.client import Client, local_mesh
from quorate.client.local_mesh import MeshState
from quorate.client.results import Answer, BallotToken

# Every model writes the same long text, so that the kill always lands while they are speaking and
# what they answer does not depend on what they know.
QUESTION = "What is 1 + 1?"
GRAMMAR = 'root ::= ("1 + 1 = 2\\n"){60} "Answer: 2"'

pytestmark = pytest.mark.timeout(180)


def quorate(home: Path, command: str, *options: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "quorate.cli", command, "--home", str(home), *options],
        check=True,
        capture_output=True,
        timeout=90,
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Give the home of a mesh of this test's own: what is killed here must not disturb others."""
    quorate(tmp_path, "up", "--detach")
    try:
        yield tmp_path
    finally:
        if local_mesh.find(tmp_path):
            quorate(tmp_path, "down")


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for other processes; there is no clock to advance in them."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def family(mesh: MeshState) -> list[psutil.Process]:
    """Give the supervisor of a mesh and all below it."""
    supervisor = psutil.Process(mesh.supervisor.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def engines(mesh: MeshState, node: str) -> list[psutil.Process]:
    service = next(service for service in mesh.services if service.name == node)
    return psutil.Process(service.process.pid).children(recursive=True)


def ask_and_kill(home: Path, kill: Callable[[], None]) -> Answer:
    """Ask, and kill at the first token of any ballot."""
    result = None
    with Client.from_mesh(home) as client:
        killed = False
        for event in client.stream(
            QUESTION, grammar=GRAMMAR, max_tokens=2000, stop_rule="never", decompose="none"
        ):
            if not killed and isinstance(event, BallotToken):
                kill()
                killed = True
            if isinstance(event, Answer):
                result = event
    assert killed
    assert result is not None
    return result


def test_a_killed_model_costs_its_ballot_and_not_the_question(home: Path) -> None:
    mesh = local_mesh.running(home)
    victim = engines(mesh, "n1")[0]
    result = ask_and_kill(home, lambda: victim.send_signal(signal.SIGKILL))
    statuses = [ballot.status for ballot in result.ballots]
    assert result.answer == "2"
    assert result.quorum.asked == 6
    assert result.quorum.answered == sum(status == "valid" for status in statuses) >= 5
    with Client.from_mesh(home) as client:  # the engine comes back and votes again
        again = {"grammar": GRAMMAR, "max_tokens": 2000, "stop_rule": "never"}
        wait_until(lambda: client.ask(QUESTION, nodes=["n1"], **again).quorum.answered == 2)


def test_a_killed_node_costs_its_ballots_and_not_the_question(home: Path) -> None:
    mesh = local_mesh.running(home)
    node = next(service for service in mesh.services if service.name == "n1")
    children = engines(mesh, "n1")
    result = ask_and_kill(home, lambda: os.kill(node.process.pid, signal.SIGKILL))
    assert result.quorum.asked == 6
    assert result.quorum.answered == 4
    failed = {ballot.node for ballot in result.ballots if ballot.status == "failed"}
    assert failed == {"n1"}
    assert result.answer == "2"
    assert result.agreement == pytest.approx(4 / 6)
    wait_until(lambda: not any(child.is_running() for child in children))


def test_killing_the_supervisor_leaves_no_orphan(home: Path) -> None:
    mesh = local_mesh.running(home)
    processes = family(mesh)
    assert len(processes) >= 1 + 5 + 6
    processes[0].send_signal(signal.SIGKILL)
    wait_until(lambda: not any(alive(process) for process in processes))


def test_ctrl_c_ends_every_child(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "quorate.cli", "up", "--home", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        wait_until(lambda: (found := local_mesh.find(tmp_path)) is not None and found.ready, 60)
        processes = family(local_mesh.running(tmp_path))
        up.send_signal(signal.SIGINT)
        assert up.wait(timeout=30) == 130
    assert not any(alive(process) for process in processes)


def test_down_leaves_no_process(tmp_path: Path) -> None:
    quorate(tmp_path, "up", "--detach")
    processes = family(local_mesh.running(tmp_path))
    quorate(tmp_path, "down")
    assert not any(alive(process) for process in processes)


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
