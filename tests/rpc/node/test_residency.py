"""Models are loaded, unloaded and evicted while the node serves; memory comes back."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import gguf as reference
import psutil
import pytest

from quorate.channel import Peers
from quorate.errors import (
    InvalidRequest,
    ModelLoading,
    ModelUnusable,
    OutOfMemory,
    UnknownModel,
    WrongModel,
)
from quorate.identity import Role
from quorate.models import pocket_models
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
LONG = {"prompt": "Once", "logit_bias": {2: -100.0}, "max_tokens": 2000}
AVAILABLE = common_pb2.MODEL_STATE_AVAILABLE
READY = common_pb2.MODEL_STATE_READY
FAILED = common_pb2.MODEL_STATE_FAILED
ON_DEMAND = [{"name": "abacus"}, {"name": "atlas", "load": "on_demand"}]


@pytest.fixture
async def admin(tls) -> AsyncIterator[Peers]:
    async with Peers(tls(Role.ADMIN, "boss")) as channels:
        yield channels


@pytest.fixture
def node(start_node) -> Iterator[object]:
    with start_node("keeper", models=ON_DEMAND) as running:
        yield running


@pytest.fixture
async def caller(caller_of, admin, node):
    return caller_of(admin, node)


async def load(caller, model: str, *, evict: bool = False) -> list[node_pb2.LoadModelResponse]:
    request = node_pb2.LoadModelRequest(model=model, evict=evict)
    return [message async for message in caller.stub.LoadModel(request)]


async def unload(caller, model: str) -> list[node_pb2.UnloadModelResponse]:
    request = node_pb2.UnloadModelRequest(model=model)
    return [message async for message in caller.stub.UnloadModel(request)]


async def infos(caller) -> dict[str, common_pb2.ModelInfo]:
    return {model.name: model for model in (await caller.status()).models}


async def test_a_model_on_demand_is_loaded_by_its_first_request(caller, node) -> None:
    before = (await infos(caller))["atlas"]
    assert (before.state, before.resident_bytes) == (AVAILABLE, 0)
    assert before.memory_bytes > 0
    assert before.sha256
    assert len(node.engines()) == 1
    async with asyncio.TaskGroup() as group:
        answers = [
            group.create_task(caller.generate(model="atlas", question="What is 2 + 2?"))
            for _ in range(3)
        ]
    assert all(answer.result().finished for answer in answers)
    after = (await infos(caller))["atlas"]
    assert after.state == READY
    assert after.resident_bytes == pytest.approx(after.memory_bytes, rel=0.25)
    assert len(node.engines()) == 2


async def test_a_request_that_cannot_wait_is_told_and_the_load_goes_on(caller) -> None:
    call = caller.stub.Tokenize(node_pb2.TokenizeRequest(model="atlas", text="a"), timeout=5)
    assert (await call).tokens
    await unload(caller, "atlas")
    request = node_pb2.GenerateRequest(model="atlas", prompt="a")
    with pytest.raises(ModelLoading) as caught:
        async for _ in caller.stub.Generate(request, timeout=0.3):
            pass
    assert caught.value.retry_after_seconds
    await caller.until(lambda s: s.models[1].state == READY)


async def test_a_load_tells_its_progress_and_a_loaded_model_is_done_at_once(caller) -> None:
    told = await load(caller, "atlas")
    fractions = [message.fraction for message in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert told[-1].model.state == READY
    assert [message.fraction for message in await load(caller, "atlas")] == [1.0]


async def test_a_load_goes_on_when_its_caller_leaves(caller) -> None:
    stream = caller.stub.LoadModel(node_pb2.LoadModelRequest(model="atlas"))
    async for message in stream:
        assert message.fraction < 1
        break
    stream.cancel()
    await caller.until(lambda s: s.models[1].state == READY)


async def test_callers_of_one_load_share_it(caller, node) -> None:
    async with asyncio.TaskGroup() as group:
        loads = [group.create_task(load(caller, "atlas")) for _ in range(4)]
    assert all(one.result()[-1].fraction == 1 for one in loads)
    assert len(node.engines()) == 2
    assert (await caller.engine("atlas")).restarts == 0


async def test_an_unload_streams_until_the_memory_is_back(caller) -> None:
    pid = (await caller.engine()).pid
    held = psutil.Process(pid).memory_full_info().pss
    told = await unload(caller, "abacus")
    returned = [message.returned_bytes for message in told]
    assert returned == sorted(returned)
    assert returned[-1] == pytest.approx(held, rel=0.2)
    assert told[-1].model.state == AVAILABLE
    assert not psutil.pid_exists(pid)
    assert (await infos(caller))["abacus"].resident_bytes == 0
    assert (await unload(caller, "abacus"))[-1].returned_bytes == 0
    await caller.serves_on()


async def test_an_unload_lets_requests_in_flight_end(caller) -> None:
    async with asyncio.TaskGroup() as group:
        heard = group.create_task(caller.generate(**{**LONG, "max_tokens": 400}))
        await caller.until(lambda s: s.engines[0].busy_slots == 1)
        gone = group.create_task(unload(caller, "abacus"))
        await caller.until(lambda s: s.models[0].state == common_pb2.MODEL_STATE_UNLOADING)
        with pytest.raises(ModelLoading, match="being unloaded"):
            await caller.generate(prompt="a")
    assert heard.result().finished[0].usage.completion_tokens == 400
    assert gone.result()[-1].model.state == AVAILABLE


async def test_an_unload_ends_a_load_that_goes_on(caller, node) -> None:
    stream = caller.stub.LoadModel(node_pb2.LoadModelRequest(model="atlas"))
    await stream.read()
    await unload(caller, "atlas")
    with pytest.raises(ModelLoading, match="given up"):
        async for _ in stream:
            pass
    assert (await infos(caller))["atlas"].state == AVAILABLE
    assert len(node.engines()) == 1


async def test_loading_a_model_whose_engine_is_being_restarted_waits_for_it(caller, node) -> None:
    os.kill((await caller.engine()).pid, signal.SIGKILL)
    await caller.until(lambda s: s.models[0].state == common_pb2.MODEL_STATE_RESTARTING)
    assert (await load(caller, "abacus"))[-1].model.state == READY
    assert len(node.engines()) == 1
    assert (await caller.engine()).restarts == 1


async def test_unknown_names_are_told(caller) -> None:
    with pytest.raises(UnknownModel, match="Did you mean 'atlas'"):
        await load(caller, "atlsa")
    with pytest.raises(InvalidRequest):
        await unload(caller, "")


async def need(caller, model: str) -> int:
    return int((await infos(caller))[model].memory_bytes)


async def test_idle_models_make_room_only_if_they_may_and_never_one_in_flight(
    start_node, caller_of, admin, caller
) -> None:
    budget = await need(caller, "abacus") + await need(caller, "atlas") // 2
    with start_node("narrow", models=ON_DEMAND, memory=str(budget)) as node:
        narrow = caller_of(admin, node)
        with pytest.raises(OutOfMemory, match=r"atlas needs \d+ MiB of memory, but \d+ of"):
            await load(narrow, "atlas")
        async with asyncio.TaskGroup() as group:
            heard = group.create_task(narrow.generate(**{**LONG, "max_tokens": 800}))
            await narrow.until(lambda s: s.engines[0].busy_slots == 1)
            with pytest.raises(OutOfMemory):
                await load(narrow, "atlas", evict=True)
        assert heard.result().finished[0].usage.completion_tokens == 800
        assert (await load(narrow, "atlas", evict=True))[-1].model.state == READY
        assert {name: one.state for name, one in (await infos(narrow)).items()} == {
            "abacus": AVAILABLE,
            "atlas": READY,
        }
        await narrow.serves_on()  # abacus comes back, atlas makes room
        assert (await infos(narrow))["atlas"].state == AVAILABLE


async def test_nodes_of_one_machine_load_one_after_another(
    start_node, caller_of, admin, tmp_path
) -> None:
    shared = {"models": ON_DEMAND, "runtime_directory": str(tmp_path / "shared")}
    with start_node("one", **shared) as first, start_node("two", **shared) as second:
        callers = [caller_of(admin, node) for node in (first, second)]
        async with asyncio.TaskGroup() as group:
            loads = [group.create_task(load(caller, "atlas")) for caller in callers]
        assert all(one.result()[-1].model.state == READY for one in loads)
        for caller in callers:
            assert [engine.restarts for engine in (await caller.status()).engines] == [0, 0]


def write_with(path: Path, changes: Mapping[str, object]) -> Path:
    """Write a pocket model with other values in its header."""
    source = reference.GGUFReader(str(pocket_models()["atlas"]))
    writer = reference.GGUFWriter(str(path), "llama")
    for key, field in source.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        value = changes.get(key, field.contents())
        if field.types[0] == reference.GGUFValueType.ARRAY:
            writer.add_array(key, value)
        else:
            writer.add_key_value(key, value, field.types[0])
    for tensor in source.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


async def test_a_load_that_aborts_fails_that_model_only_and_gives_its_memory_back(
    start_node, caller_of, admin, caller, tmp_path
) -> None:
    # llama.cpp aborts on a vocabulary in which one word stands for every token.
    broken = write_with(tmp_path / "broken.gguf", {"tokenizer.ggml.tokens": ["a"] * 1536})
    models = [*ON_DEMAND, {"name": "broken", "path": str(broken), "load": "on_demand"}]
    budget = await need(caller, "abacus") + await need(caller, "atlas") * 3 // 2
    with start_node("mixed", models=models, memory=str(budget)) as node:
        mixed = caller_of(admin, node)
        pid = (await mixed.engine()).pid
        with pytest.raises(ModelUnusable, match=r"died 3 times while loading.*GGML_ASSERT"):
            await load(mixed, "broken")
        broken_info = (await infos(mixed))["broken"]
        assert (broken_info.state, broken_info.resident_bytes) == (FAILED, 0)
        with pytest.raises(ModelUnusable, match="GGML_ASSERT"):
            await mixed.generate(model="broken", prompt="a")
        assert (await mixed.engine()).pid == pid
        assert (await load(mixed, "atlas"))[-1].model.state == READY  # its memory is free again
        shutil.copyfile(pocket_models()["forge"], broken)
        await unload(mixed, "atlas")
        assert (await load(mixed, "broken"))[-1].model.state == READY


async def test_a_file_that_is_exchanged_is_told_apart_on_every_request(
    start_node, caller_of, admin, tmp_path
) -> None:
    path = tmp_path / "m.gguf"
    shutil.copyfile(pocket_models()["abacus"], path)
    with start_node("exchange", models=[{"name": "m", "path": str(path)}]) as node:
        caller = caller_of(admin, node)
        first = (await infos(caller))["m"].sha256
        other = tmp_path / "other.gguf"
        shutil.copyfile(pocket_models()["forge"], other)
        other.replace(path)
        heard = await caller.generate(model="m", prompt="a", model_sha256=first, max_tokens=2)
        assert heard.started.model_sha256 == first  # what is mapped is still the first file
        os.kill((await caller.engine("m")).pid, signal.SIGKILL)
        await caller.until(lambda s: s.engines[0].restarts == 1 and s.engines[0].pid)
        with pytest.raises(WrongModel):
            await caller.generate(model="m", prompt="a", model_sha256=first)
        second = (await infos(caller))["m"].sha256
        assert second != first
        heard = await caller.generate(model="m", prompt="a", model_sha256=second, max_tokens=2)
        assert heard.started.model_sha256 == second


async def test_a_file_that_is_overwritten_in_place_is_never_served(
    start_node, caller_of, admin, tmp_path
) -> None:
    path = tmp_path / "m.gguf"
    shutil.copyfile(pocket_models()["abacus"], path)
    with start_node("overwrite", models=[{"name": "m", "path": str(path)}]) as node:
        caller = caller_of(admin, node)
        first = (await infos(caller))["m"].sha256
        with path.open("r+b") as file:
            file.write(pocket_models()["forge"].read_bytes())
        for _ in itertools.repeat(None, 3):
            try:
                await caller.generate(model="m", prompt="a", model_sha256=first, max_tokens=1)
            except (ModelLoading, WrongModel):
                break
        else:
            pytest.fail("the overwritten file was served as the first one")
        await caller.until(lambda s: s.models[0].state == READY and s.models[0].sha256 != first)
        assert "overwritten" in node.log.read_text()
