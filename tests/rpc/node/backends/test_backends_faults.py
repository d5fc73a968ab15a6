"""A real server that is killed, stopped, exchanged or never there, and callers that leave."""

from __future__ import annotations

import asyncio
import signal

import httpx
import pytest

from quorate.errors import (
    ConfigurationError,
    DeadlineExceeded,
    ModelCrashed,
    PeerUnreachable,
    WrongModel,
)
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
ENDLESS = {"prompt": "Once", "logit_bias": {2: -100.0}, "max_tokens": 2000}
READY, RESTARTING, FAILED = (
    common_pb2.MODEL_STATE_READY,
    common_pb2.MODEL_STATE_RESTARTING,
    common_pb2.MODEL_STATE_FAILED,
)


def settings(url: str, **more: object) -> dict[str, object]:
    return {"name": "remote", "backend": "openai", "dialect": "llama.cpp", "url": url, **more}


def state(status: common_pb2.NodeStatus) -> common_pb2.ModelState.ValueType:
    return next(model.state for model in status.models if model.name == "remote")


async def busy_slots(url: str) -> int:
    """Ask the server itself how many of its slots are at work."""
    async with httpx.AsyncClient() as client:
        slots = (await client.get(f"{url}/slots", timeout=5)).json()
    return sum(slot["is_processing"] for slot in slots)


async def until_idle(url: str) -> None:
    async with asyncio.timeout(10):
        while await busy_slots(url):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def generated_tokens(url: str) -> int:
    """Ask the server itself how many tokens it has ever generated."""
    async with httpx.AsyncClient() as client:
        lines = (await client.get(f"{url}/metrics", timeout=5)).text.splitlines()
    name = "llamacpp:tokens_predicted_total "
    return int(next(line for line in lines if line.startswith(name)).removeprefix(name))


async def first_step(stream) -> None:
    async for message in stream:
        if message.HasField("step"):
            return


async def test_a_caller_that_leaves_stops_the_server(start_server, start_node, caller_of, peers):
    options = ("--slots", "2", "--context", "4096")
    with start_server("abacus", *options) as server, start_node(models=[settings(server.url)]) as n:
        caller = caller_of(peers, n)
        for samples in (1, 6):  # more than the server has slots: some wait there
            stream = caller.stream(model="remote", **ENDLESS, n=samples)
            await first_step(stream)
            stream.cancel()
            await until_idle(server.url)
            await caller.until(lambda s: s.engines[0].busy_slots == s.engines[0].queued == 0)
        assert await generated_tokens(server.url) < 7 * 2000 / 2
        assert (await caller.status()).in_flight == 0
        assert (await caller.engine("remote")).cancelled_samples >= 2


async def test_a_deadline_stops_the_server(start_server, start_node, caller_of, peers) -> None:
    with start_server("abacus") as server, start_node(models=[settings(server.url)]) as node:
        caller = caller_of(peers, node)
        sampling = common_pb2.Sampling(max_tokens=2000, logit_bias={2: -100.0})
        request = node_pb2.GenerateRequest(model="remote", prompt="Once", sampling=sampling, n=8)
        with pytest.raises(DeadlineExceeded):
            async for _ in caller.stub.Generate(request, timeout=0.2):
                pass
        await until_idle(server.url)
        await caller.until(lambda s: s.engines[0].busy_slots == 0)


async def test_a_server_that_is_killed_is_told_and_taken_up_when_it_is_back(
    start_server, start_node, caller_of, peers
) -> None:
    with start_server("abacus") as server, start_node(models=[settings(server.url)]) as node:
        caller = caller_of(peers, node)
        stream = caller.stream(model="remote", **ENDLESS, n=4)
        await first_step(stream)
        server.signal(signal.SIGKILL)
        with pytest.raises(ModelCrashed, match="broke"):
            async for _ in stream:
                pass
        await asyncio.to_thread(server.process.wait, 20)  # until then its port may take calls
        await caller.until(lambda s: state(s) == RESTARTING)
        with pytest.raises(PeerUnreachable, match="Start the server"):
            await caller.generate(model="remote", prompt="a")
        with start_server("abacus", "--port", str(server.port)):
            await caller.until(lambda s: state(s) == READY)
            heard = await caller.generate(model="remote", prompt="a", max_tokens=2)
            assert heard.finished
            assert (await caller.engine("remote")).restarts == 1


async def test_a_server_that_hangs_is_given_up(start_server, start_node, caller_of, peers) -> None:
    with (
        start_server("abacus") as server,
        start_node(models=[settings(server.url, silence_seconds=0.5)]) as node,
    ):
        caller = caller_of(peers, node)
        stream = caller.stream(model="remote", **ENDLESS)
        await first_step(stream)
        server.signal(signal.SIGSTOP)
        try:
            with pytest.raises(PeerUnreachable, match="silen"):
                async for _ in stream:
                    pass
        finally:
            server.signal(signal.SIGCONT)
        await caller.until(lambda s: s.engines[0].busy_slots == 0 and state(s) == READY)


async def test_another_model_on_the_same_port_never_answers_for_the_first(
    start_server, start_node, caller_of, peers
) -> None:
    with start_server("abacus", "--alias", "abacus") as server:
        models = [settings(server.url, remote_model="abacus")]
        with start_node(models=models) as node:
            caller = caller_of(peers, node)
            await caller.generate(model="remote", prompt="a", max_tokens=2)
            server.signal(signal.SIGKILL)
            server.process.wait()
            with start_server("atlas", "--alias", "atlas", "--port", str(server.port)):
                # Until the node has looked again, the answer itself gives the exchange away.
                with pytest.raises((WrongModel, ConfigurationError, PeerUnreachable)):
                    await caller.generate(model="remote", prompt="a", max_tokens=2)
                status = await caller.until(lambda s: state(s) == FAILED)
                assert "no model 'abacus'" in status.models[0].problem
                assert "Known: atlas" in status.models[0].problem


async def test_a_wrong_key_is_told_and_never_shown(
    start_server, start_node, caller_of, peers, tmp_path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("mellon-is-not-it")
    model = {"api_key_file": str(wrong)}
    with (
        start_server("abacus", "--key", "the-right-one") as server,
        start_node(models=[settings(server.url, **model)]) as node,
    ):
        caller = caller_of(peers, node)
        with pytest.raises(ConfigurationError, match="api_key_file") as caught:
            await caller.generate(model="remote", prompt="a")
        told = caught.value.message + str(await caller.status()) + node.log.read_text()
        assert "mellon" not in told


async def test_a_key_that_is_not_there_stops_the_node_with_the_file_named(
    start_node, tmp_path
) -> None:
    model = settings("http://127.0.0.1:9", api_key_file=str(tmp_path / "missing"))
    with (
        pytest.raises(AssertionError, match=r"cannot be read from .*missing"),
        start_node(models=[model]),
    ):
        pass


async def test_a_server_that_comes_later_is_taken_up(
    start_server, start_node, caller_of, peers, free_port
) -> None:
    with start_node(models=[settings(f"http://127.0.0.1:{free_port}")]) as node:
        caller = caller_of(peers, node)
        assert state(await caller.status()) == FAILED
        with start_server("abacus", "--port", str(free_port)):
            await caller.until(lambda s: state(s) == READY)
            assert (await caller.generate(model="remote", prompt="a", max_tokens=2)).finished
