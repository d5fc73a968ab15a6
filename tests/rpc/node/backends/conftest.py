"""Real servers of llama.cpp that a node reaches over HTTP, and nodes that do."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from quorate.models import pocket_models

PROGRAM = Path(__file__).with_name("llama_server.py")
KEY = "a-key-that-is-secret"


@dataclass
class RunningServer:
    """A llama.cpp server process and its address."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@contextmanager
def running_server(log: Path, model: str, *options: str) -> Iterator[RunningServer]:
    """Serve a pocket model until the end of the block."""
    command = [sys.executable, str(PROGRAM), str(pocket_models()[model]), *options]
    with log.open("ab") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, log.read_text()
        yield RunningServer(process, url)
    finally:
        process.kill()
        process.wait(timeout=20)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="session")
def start_server(tmp_path_factory) -> Callable[..., object]:
    """Give `with start_server("abacus", "--slots", "2") as server`."""
    log = tmp_path_factory.mktemp("servers") / "server.log"
    return lambda model, *options: running_server(log, model, *options)


@pytest.fixture(scope="session")
def key_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key"
    path.write_text(KEY + "\n")
    return path


@pytest.fixture(scope="session")
def servers(start_server) -> Iterator[dict[str, RunningServer]]:
    """Give servers that tests share; they must leave them idle."""
    with ExitStack() as stack:
        yield {
            "chat": stack.enter_context(
                start_server("abacus", "--alias", "calculator", "--key", KEY)
            ),
            "vectors": stack.enter_context(start_server("atlas", "--embedding")),
        }


@pytest.fixture(scope="session")
def mixed_node(start_node, servers, key_file):
    """Give a node with an engine of its own, and the same model behind a server, spoken to in two
    dialects."""
    chat = {"backend": "openai", "url": servers["chat"].url, "api_key_file": str(key_file)}
    models = [
        {"name": "abacus"},
        {"name": "remote", **chat, "dialect": "llama.cpp", "slots": 4, "queue": 8},
        {"name": "plain", **chat, "remote_model": "calculator"},
        {"name": "vectors", "backend": "openai", "url": servers["vectors"].url + "/v1"},
        {"name": "silent", "backend": "openai", "url": "http://127.0.0.1:9", "dialect": "vllm"},
    ]
    models[2]["context_tokens"] = models[3]["context_tokens"] = 2048
    with start_node("mixed", models=models) as node:
        yield node


@pytest.fixture
async def mixed(peers, caller_of, mixed_node):
    """Call the node with several backends."""
    return caller_of(peers, mixed_node)
