"""A server that answers byte for byte as a test says, and a model that the node has behind it."""

from __future__ import annotations

import asyncio
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import pytest

from quorate.config import ModelSettings
from services.node.backends import making
from services.node.engine.messages import Counters, Progress, Sampling
from services.node.replica import Changes
from services.node.requests import Order

Send: TypeAlias = Callable[[bytes], None]
Behaviour: TypeAlias = Callable[[Send], None]
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
MODELS = json.dumps({"object": "list", "data": [{"id": "m", "max_model_len": 512}]}).encode()


def refuses(status: int, body: str, *headers: str) -> Behaviour:
    """Answer with a status other than 200."""
    lines = [f"HTTP/1.1 {status} No", f"Content-Length: {len(body)}", *headers, "", body]
    return lambda send: send("\r\n".join(lines).encode())


def says(*events: str, pause_seconds: float = 0.0) -> Behaviour:
    """Stream events, then close the connection."""

    def behave(send: Send) -> None:
        send(STREAM)
        for event in events:
            send(event.encode() + b"\n\n")
            time.sleep(pause_seconds)

    return behave


def chunk(text: str, reason: str = "null", model: str = "m") -> str:
    """Write an event of a chat completion."""
    choice = f'{{"index": 0, "delta": {{"content": "{text}"}}, "finish_reason": {reason}}}'
    return f'data: {{"model": "{model}", "choices": [{choice}]}}'


class Script:
    """What the server does at each call for a completion, in order; the last one stays."""

    def __init__(self) -> None:
        self.url = ""
        self.completions: list[Behaviour] = []
        self.models: Behaviour = refuses(200, MODELS.decode())
        self.health: Behaviour = refuses(200, "")
        self.calls = 0

    def next(self, request_line: str) -> Behaviour:
        if "/v1/models" in request_line:
            return self.models
        if "/health" in request_line:
            return self.health
        self.calls += 1
        return self.completions.pop(0) if len(self.completions) > 1 else self.completions[0]


@pytest.fixture
def script() -> Iterator[Script]:
    """Run the server until the test ends."""
    script = Script()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := self.request.recv(65536)):
                    return
                head += data
            with suppress(OSError):  # the node has left
                script.next(head.partition(b"\r\n")[0].decode())(self.request.sendall)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


class Asking:
    """Asks one model, and collects what it says."""

    def __init__(self, model) -> None:
        self.model = model
        self.progress: list[Progress] = []
        self.observed: list[tuple[Counters, Counters]] = []

    @property
    def text(self) -> str:
        return "".join(delta.text for progress in self.progress for delta in progress.deltas)

    async def ask(self, samples: int = 1, deadline: float | None = None, **sampling) -> str:
        """Ask to the end; raises what ends it."""
        self.progress.clear()
        order = Order("m", (), "a", Sampling(max_tokens=8, **sampling), samples, 0)
        generation = self.model.choose().generate(order, deadline)
        try:
            while (progress := await generation.read()) is not None:
                self.progress.append(progress)
        finally:
            generation.close()
        return self.text


@pytest.fixture
def asking(script):
    """Give `async with asking(dialect="vllm") as asker`: a watched model behind the server."""

    @asynccontextmanager
    async def start(**settings):
        observed: list[tuple[Counters, Counters]] = []
        model = making.make(
            ModelSettings(name="m", backend="openai", url=script.url, **settings),
            {},
            Changes(),
            lambda before, after: observed.append((before, after)),
        )
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            running = group.create_task(model.run())
            await model.wait_settled()
            asker = Asking(model)
            asker.observed = observed
            try:
                yield asker
                # Whatever happened, nothing may be left in flight.
                while model.engine.requests_in_flight:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                assert model.engine.counters.busy_slots == model.engine.samples_in_flight == 0
            finally:
                running.cancel()

    return start


@pytest.fixture(scope="session")
def server_says():
    """Give the makers of behaviours: `says`, `refuses`, `chunk`."""
    return says, refuses, chunk
