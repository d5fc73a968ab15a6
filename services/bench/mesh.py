"""bench-mesh: what the mesh adds to the bare engine, in one run, request by request.

Three ways to generate the same tokens greedily take turns: the bare engine (llama.cpp's own calls
in a plain loop, no network), one node over mTLS, and the coordinator over mTLS with one voter
(client → coordinator → node → engine and back, with extraction and vote). Two models: a pocket
model, whose steps are so short that every overhead shows, and random weights at the shape of a 135M
model, where a step costs what it costs in practice. Memory is each process's proportional set size.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import psutil
from rich.progress import track

from quorate.channel import Peers
from quorate.identity import Role
from quorate.models import pocket_models
from quorate.v1 import common_pb2, coordinator_pb2, coordinator_pb2_grpc, node_pb2, node_pb2_grpc
from services.bench import figures, local_mesh, random_model

if TYPE_CHECKING:
    from quorate.client.local_mesh import MeshState

QUESTION = "What is 47 + 38?"
MAX_TOKENS = 64
END_OF_TURN = 2
NEVER = -100.0
RANDOM = "random-135m"
WARM_UPS = 3
REST_SECONDS = 0.2


class Sample(NamedTuple):
    """One request: seconds to the first token and in all, and tokens."""

    first: float
    total: float
    tokens: int


@dataclass
class Series:
    """Paired samples of one model, one list per way to ask."""

    bare: list[Sample] = field(default_factory=list)
    node: list[Sample] = field(default_factory=list)
    mesh: list[Sample] = field(default_factory=list)


class BareProcess:
    """The bare engine as a process of its own, so that its memory can be compared."""

    def __init__(self, model: Path, threads: int) -> None:
        command = [sys.executable, "-m", "services.bench.bare", str(model)]
        self._process = subprocess.Popen(
            [*command, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def generate(self, prompt: str) -> Sample:
        """Generate greedily from a rendered prompt."""
        request = {"prompt": prompt, "max_tokens": MAX_TOKENS, "banned": [END_OF_TURN]}
        self._pipe(self._process.stdin).write(json.dumps(request) + "\n")
        self._pipe(self._process.stdin).flush()
        times = json.loads(self._pipe(self._process.stdout).readline())
        return Sample(times["time_to_first_token"], times["total"], times["tokens"])

    def memory(self) -> int:
        """Give the proportional set size in bytes."""
        return memory_of(self._process.pid)

    def close(self) -> None:
        """End the process."""
        self._pipe(self._process.stdin).close()
        self._process.wait()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        if pipe is None:
            raise BrokenPipeError("the bare engine was started without pipes")
        return pipe


def memory_of(pid: int) -> int:
    """Give the proportional set size of a process in bytes."""
    return int(psutil.Process(pid).memory_full_info().pss)


def sampling() -> common_pb2.Sampling:
    """Greedy, always MAX_TOKENS tokens: the end of turn is never drawn."""
    return common_pb2.Sampling(
        temperature=0, max_tokens=MAX_TOKENS, logit_bias={END_OF_TURN: NEVER}
    )


async def ask_node(node: node_pb2_grpc.NodeServiceAsyncStub, model: str) -> Sample:
    """Time one Generate call."""
    request = node_pb2.GenerateRequest(model=model, messages=messages(), sampling=sampling())
    started, first, tokens = time.perf_counter(), 0.0, 0
    async for response in node.Generate(request):
        for delta in response.step.deltas:
            first = first or time.perf_counter() - started
            tokens += len(delta.tokens)
    return Sample(first, time.perf_counter() - started, tokens)


async def ask_mesh(mesh: coordinator_pb2_grpc.CoordinatorServiceAsyncStub, model: str) -> Sample:
    """Time one AskStream call with one voter."""
    question = coordinator_pb2.Question(
        messages=messages(),
        models=[model],
        sampling=sampling(),
        kind=common_pb2.ANSWER_KIND_TEXT,  # whatever random weights say counts as an answer
        decompose=coordinator_pb2.DECOMPOSE_MODE_NONE,
    )
    started, first, tokens = time.perf_counter(), 0.0, 0
    async for event in mesh.AskStream(coordinator_pb2.AskStreamRequest(question=question)):
        if event.WhichOneof("event") == "token":
            first = first or time.perf_counter() - started
        tokens += event.ballot.usage.completion_tokens
    return Sample(first, time.perf_counter() - started, tokens)


def messages() -> Sequence[common_pb2.ChatMessage]:
    """Give the one question that all ways ask."""
    return [common_pb2.ChatMessage(role=common_pb2.CHAT_ROLE_USER, content=QUESTION)]


@dataclass(frozen=True)
class Mesh:
    """Stubs of the running mesh."""

    node: node_pb2_grpc.NodeServiceAsyncStub
    coordinator: coordinator_pb2_grpc.CoordinatorServiceAsyncStub


async def threads_of(mesh: Mesh, model: str) -> int:
    """Give the threads that the engine takes when it alone is busy: the peer gets as many."""
    for _ in range(WARM_UPS):  # threads are added while it works
        await ask_node(mesh.node, model)
    status = (await mesh.node.GetStatus(node_pb2.GetStatusRequest())).status
    return max(1, next(engine.threads for engine in status.engines if engine.model == model))


async def measure(mesh: Mesh, model: str, path: Path, runs: int) -> tuple[Series, int]:
    """Let the three ways take turns; the bare engine's memory in bytes comes with the samples."""
    threads = await threads_of(mesh, model)
    prompt = await mesh.node.Tokenize(node_pb2.TokenizeRequest(model=model, messages=messages()))
    bare, series = BareProcess(path, threads), Series()
    try:
        for run in track(range(runs + 1), description=f"{model} ({threads} threads)"):
            samples = [bare.generate(prompt.text)]
            for way in (ask_node(mesh.node, model), ask_mesh(mesh.coordinator, model)):
                # llama.cpp's threads go on spinning for a while, and would count as foreign load.
                await asyncio.sleep(REST_SECONDS)
                samples.append(await way)
            await asyncio.sleep(REST_SECONDS)
            if run > 0:  # the first round warms caches and is not counted
                for kept, sample in zip(
                    (series.bare, series.node, series.mesh), samples, strict=True
                ):
                    kept.append(sample)
        return series, bare.memory()
    finally:
        bare.close()


def compare(model: str, series: Series) -> list[figures.Figure]:
    """Turn the samples of one model into figures."""
    made = []
    for name, ours in (("node", series.node), ("mesh", series.mesh)):
        for what, pick in (("first token", 0), ("total", 1)):
            made.append(
                figures.compare(
                    f"{model}: {what}, {name}",
                    "ms",
                    [sample[pick] * 1e3 for sample in ours],
                    "bare engine",
                    [sample[pick] * 1e3 for sample in series.bare],
                )
            )
        made.append(
            figures.compare(
                f"{model}: tokens/s, {name}",
                "tok/s",
                [sample.tokens / sample.total for sample in ours],
                "bare engine",
                [sample.tokens / sample.total for sample in series.bare],
                goal=">= 0.90" if model == RANDOM else "",
            )
        )
    return made


def memory_figures(processes: Mapping[str, int], bare: int) -> list[figures.Figure]:
    """Compare each process's memory with that of the bare engine with the same model."""
    return [
        figures.compare(
            f"memory: {name}", "MiB", [memory_of(pid) / 2**20], "bare engine", [bare / 2**20]
        )
        for name, pid in processes.items()
    ]


async def study(state: MeshState, home: Path, random_path: Path, runs: int) -> list[figures.Figure]:
    """Measure both models, then the memory of every process."""
    node = next(service for service in state.services if service.role == Role.NODE)
    async with Peers(local_mesh.identity(home)) as peers:
        mesh = Mesh(
            node_pb2_grpc.NodeServiceStub(peers.channel(node.address, (Role.NODE, node.name))),
            coordinator_pb2_grpc.CoordinatorServiceStub(peers.channel(state.coordinator)),
        )
        small, _ = await measure(mesh, "abacus", pocket_models()["abacus"], runs)
        real, bare_memory = await measure(mesh, RANDOM, random_path, runs)
        status = (await mesh.node.GetStatus(node_pb2.GetStatusRequest())).status
    processes = {service.key: service.process.pid for service in state.services}
    processes |= {f"engine {engine.model}": engine.pid for engine in status.engines}
    return [
        *compare("abacus", small),
        *compare(RANDOM, real),
        *memory_figures(processes, bare_memory),
    ]


def main() -> None:
    """Run the benchmark and write results/mesh.json."""
    parser = argparse.ArgumentParser(description="Measure what the mesh adds to the bare engine.")
    parser.add_argument("--runs", type=int, default=15, help="counted rounds per model")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        random_path = Path(folder) / f"{RANDOM}.gguf"
        random_model.write(random_path, random_model.SMALL, pocket_models()["abacus"])
        topology = Path(folder) / "topology.yaml"
        models = [{"name": "abacus"}, {"name": RANDOM, "path": str(random_path)}]
        local_mesh.write_topology(topology, {"n1": models})
        home = Path(folder) / "home"
        with local_mesh.running(home, topology) as state:
            made = asyncio.run(study(state, home, random_path, arguments.runs))
    path = figures.publish("mesh", made)
    print(f"Written to {path}")  # noqa: T201 - the result of a command


if __name__ == "__main__":
    main()
