"""Engines and nodes that die, files that are damaged: contained, told, mended."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from quorate.channel import Peers
from quorate.errors import (
    Draining,
    InvalidRequest,
    ModelCrashed,
    ModelUnusable,
    PeerUnreachable,
)
from quorate.identity import Role
from quorate.models import pocket_models
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
LONG = {"prompt": "Once", "logit_bias": {2: -100.0}}
BOTH = [{"name": "abacus"}, {"name": "atlas"}]


@pytest.fixture
def node(start_node):
    with start_node("faulty", models=BOTH) as running:
        yield running


@pytest.fixture
async def caller(caller_of, peers, node):
    return caller_of(peers, node)


def wait_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive


async def test_an_engine_killed_under_load_is_told_restarted_and_serves_on(caller) -> None:
    pid = (await caller.engine()).pid
    stream = caller.stream(**LONG, max_tokens=2000)

    async def kill_while_it_speaks() -> None:
        async for message in stream:
            if message.HasField("step"):
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(ModelCrashed) as caught:
        await kill_while_it_speaks()
    assert caught.value.retryable
    assert caught.value.retry_after_seconds
    other = await caller.generate(model="atlas", prompt="What is", max_tokens=4)
    assert other.finished
    status = await caller.until(
        lambda s: s.models[0].state == common_pb2.MODEL_STATE_READY and s.engines[0].restarts == 1
    )
    assert status.engines[0].pid != pid
    assert status.in_flight == 0
    await caller.serves_on()


async def test_a_request_whose_engine_dies_before_the_first_token_is_tried_again(caller) -> None:
    pid = (await caller.engine()).pid
    os.kill(pid, signal.SIGSTOP)  # it takes the request and says nothing
    async with asyncio.TaskGroup() as group:
        heard = group.create_task(caller.generate(question="What is 12 + 30?"))
        await caller.until(lambda s: s.in_flight == 1)
        os.kill(pid, signal.SIGKILL)
    assert heard.result().order.count("started") == 1
    assert heard.result().finished[0].reason == common_pb2.FINISH_REASON_STOP
    assert (await caller.engine()).pid not in {0, pid}


async def test_a_segfault_of_an_engine_leaves_the_other_alone(caller) -> None:
    before = await caller.status()
    os.kill(before.engines[0].pid, signal.SIGSEGV)
    await caller.until(lambda s: s.engines[0].restarts == 1 and s.engines[0].pid)
    after = await caller.status()
    assert after.engines[1].pid == before.engines[1].pid
    assert after.engines[1].restarts == 0
    assert "SIGSEGV" in caller.node.log.read_text()


async def test_a_killed_node_leaves_no_engine(caller, node) -> None:
    engines = node.engines()
    assert len(engines) == 2

    async def kill_while_it_speaks() -> None:
        async for message in caller.stream(**LONG, max_tokens=2000):
            if message.HasField("step"):
                node.process.kill()

    with pytest.raises(PeerUnreachable):
        await kill_while_it_speaks()
    wait_gone(engines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_node_and_all_engines(node, number) -> None:
    engines = node.engines()
    started = time.monotonic()
    node.process.send_signal(number)
    assert node.process.wait(timeout=20) == 0
    assert time.monotonic() - started < 10
    wait_gone(engines)


async def test_a_terminated_node_finishes_what_it_has(caller, node) -> None:
    heard = 0
    async for message in caller.stream(**LONG, max_tokens=300):
        if message.HasField("started"):
            node.process.send_signal(signal.SIGTERM)
        heard += sum(len(delta.tokens) for delta in message.step.deltas)
    assert heard == 300
    assert node.process.wait(timeout=20) == 0


async def test_interrupts_of_the_terminal_reach_engines_but_do_not_end_them(caller, node) -> None:
    for engine in node.engines():
        engine.send_signal(signal.SIGINT)
        engine.send_signal(signal.SIGTERM)
    await caller.serves_on()
    assert [e.restarts for e in (await caller.status()).engines] == [0, 0]


async def test_a_drained_node_takes_nothing_new_and_says_so(caller_of, node, tls) -> None:

    async with Peers(tls(Role.ADMIN, "boss")) as channels:
        caller = caller_of(channels, node)
        stream = caller.stream(**LONG, max_tokens=2000)
        async for message in stream:
            if message.HasField("step"):
                break
        drained = await caller.stub.Drain(node_pb2.DrainRequest(timeout_seconds=0.2))
        assert drained.abandoned == 1
        with pytest.raises(Draining):
            await caller.generate(prompt="a")
        assert (await caller.status()).state == common_pb2.NODE_STATE_DRAINING
        stream.cancel()


async def test_abandoned_streams_leave_no_busy_slot(caller) -> None:
    async def abandon() -> None:
        stream = caller.stream(**LONG, max_tokens=2000)
        try:
            async with asyncio.timeout(0.3):
                async for _ in stream:
                    pass
        except (TimeoutError, Exception):  # noqa: BLE001 - refused, or given up: both are abandoned
            stream.cancel()

    for _ in range(5):
        async with asyncio.TaskGroup() as group:
            for _ in range(40):
                group.create_task(abandon())
    status = await caller.until(lambda s: s.in_flight == 0 and s.engines[0].busy_slots == 0)
    assert status.queued == 0
    await caller.serves_on()


def damaged(directory: Path) -> dict[str, Path]:
    whole = pocket_models()["atlas"].read_bytes()
    contents = {
        "empty": b"",
        "text": b"this is not a model",
        "truncated": whole[: len(whole) // 2],
        "headless": whole[:2000],
        "corrupt": whole[:100] + os.urandom(400) + whole[500:],
    }
    for name, content in contents.items():
        (directory / f"{name}.gguf").write_bytes(content)
    return {name: directory / f"{name}.gguf" for name in [*contents, "missing"]}


async def test_damaged_files_are_told_each_and_the_node_serves_the_rest(
    start_node, caller_of, peers, tmp_path
) -> None:
    files = damaged(tmp_path)
    models = [{"name": name, "path": str(path)} for name, path in files.items()]
    with start_node("mixed", models=[{"name": "abacus"}, *models]) as node:
        caller = caller_of(peers, node)
        status = await caller.status()
        for model in status.models[1:]:
            assert model.state == common_pb2.MODEL_STATE_FAILED
            assert str(files[model.name]) in model.problem
            with pytest.raises(ModelUnusable, match=model.name):
                await caller.generate(model=model.name, prompt="a")
        assert len(node.engines()) == 1  # no process was spent on them
        await caller.serves_on()


async def test_a_file_that_only_llama_cpp_finds_wrong_is_told_with_its_reason(
    start_node, caller_of, peers, tmp_path
) -> None:
    whole = pocket_models()["atlas"].read_bytes()
    path = tmp_path / "odd.gguf"
    path.write_bytes(whole.replace(b"blk.0.attn_q.weight", b"blk.0.attn_x.weight"))
    models = [{"name": "odd", "path": str(path)}, {"name": "abacus"}]
    with start_node("odd", models=models) as node:
        caller = caller_of(peers, node)
        with pytest.raises(ModelUnusable, match="attn_q"):
            await caller.generate(model="odd", prompt="a")
        await caller.serves_on()


async def test_replicas_share_the_work(start_node, caller_of, peers) -> None:
    with start_node("twins", models=[{"name": "abacus", "replicas": 2}]) as node:
        caller = caller_of(peers, node)
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(caller.generate(**LONG, max_tokens=200))
        engines = (await caller.status()).engines
        assert [engine.generated_tokens for engine in engines] == [400, 400]


async def test_a_model_beyond_the_memory_budget_is_told_and_the_first_serves(
    start_node, caller_of, peers
) -> None:
    with start_node("tight", models=BOTH, memory="120MiB") as node:
        caller = caller_of(peers, node)
        with pytest.raises(ModelUnusable, match=r"atlas needs .* of 120 MiB are left"):
            await caller.generate(model="atlas", prompt="a")
        await caller.serves_on()


def test_a_port_in_use_ends_the_node_with_one_line(start_node, tmp_path) -> None:
    with start_node("first", models=[{"name": "abacus"}]) as node:
        second = start_node("second", models=[{"name": "abacus"}], listen=node.address)
        with pytest.raises(AssertionError) as caught, second:
            pass
        assert "error: cannot listen" in str(caught.value)
        assert "Traceback" not in str(caught.value)


async def test_the_kernel_is_told_to_take_engines_before_the_node(node) -> None:
    def score(pid: int) -> int:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    assert all(score(engine.pid) > score(node.process.pid) for engine in node.engines())


@pytest.mark.parametrize(
    "grammar",
    [
        "root ::= " + '"a"? ' * 1000,
        # Harmless at first: each token doubles the ways in which the text can be read.
        'root ::= "a" root "b" | "a" root "c" | "a"',
    ],
)
async def test_a_grammar_that_takes_for_ever_is_refused_and_the_others_are_served(
    start_node, caller_of, peers, grammar
) -> None:
    with start_node("held-up", models=[{"name": "abacus"}]) as node:
        caller = caller_of(peers, node)
        with pytest.raises(InvalidRequest, match="takes more than 2 s") as caught:
            await caller.generate(
                prompt="a", grammar=grammar, max_tokens=200, logit_bias={2: -100.0}
            )
        assert caught.value.metadata["field"] == "sampling.constraint"
        await caller.until(lambda s: s.engines[0].restarts == 1 and s.engines[0].pid > 0)
        await caller.serves_on()
        assert (await caller.status()).engines[0].restarts == 1
