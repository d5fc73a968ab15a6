"""Clients that leave, do not read, or ask for what cannot be: none of it harms another request."""

from __future__ import annotations

import asyncio
import json
import math
import sys

import psutil
import pytest

from quorate.channel import Peers
from quorate.errors import InvalidRequest, ModelCrashed, Overloaded
from quorate.identity import Role

pytestmark = pytest.mark.anyio
LONG = {"prompt": "Once", "logit_bias": {2: -100.0}, "max_tokens": 1900}
RIGHT = {"prompt": "Once", "logit_bias": {2: -100.0}, "max_tokens": 200, "temperature": 0.0}
HEAVY = {**LONG, "max_tokens": 900, "top_logprobs": 20}
"""Messages of half a megabyte: more than the node keeps, and about what gRPC takes unread."""
MEBIBYTE = 2**20
AT_ONCE = 60
MODELS = [{"name": "abacus"}, {"name": "atlas"}]
KILLED_CLIENT = """
import asyncio, json, sys
from pathlib import Path
from quorate.channel import Peers
from quorate.config import TlsSettings
from quorate.identity import Role
from quorate.v1 import common_pb2, node_pb2, node_pb2_grpc

async def main():
    address, name, tls, count = json.loads(sys.argv[1])
    sampling = common_pb2.Sampling(max_tokens=1900, logit_bias={2: -100.0})
    request = node_pb2.GenerateRequest(model="abacus", prompt="Once", sampling=sampling)
    async with Peers(TlsSettings(**tls)) as peers:
        stub = node_pb2_grpc.NodeServiceStub(peers.channel(address, (Role.NODE, name)))
        streams = [stub.Generate(request) for _ in range(count)]
        await streams[0].read()
        print("spoken to", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def node(start_node):
    with start_node("patient", models=MODELS, telemetry={"metrics_port": 0}) as running:
        yield running


@pytest.fixture
async def caller(caller_of, peers, node):
    return caller_of(peers, node)


async def leave(caller) -> None:
    """Begin a stream and cancel it after its first token."""
    stream = caller.stream(**LONG)
    async for message in stream:
        if message.HasField("step"):
            break
    stream.cancel()


async def leave_all(caller, count: int) -> None:
    """Abandon so many streams, some of them at a time."""
    left = iter(range(count))

    async def repeat() -> None:
        for _ in left:
            await leave(caller)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, count)):
            group.create_task(repeat())


async def close_channel(caller_of, node, tls, streams: int) -> None:
    """Begin streams and close their channel when the first has said something; others wait."""
    async with Peers(tls) as channels:
        caller = caller_of(channels, node)
        begun = [caller.stream(**LONG) for _ in range(streams)]
        assert await begun[0].read()


async def kill_client(node, tls, streams: int) -> None:
    """Have another process begin streams, and kill it: nobody tells the node."""
    paths = {key: str(path) for key, path in tls}
    order = json.dumps([node.address, node.name, paths, streams])
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED_CLIENT, order, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await client.stdout.readline() == b"spoken to\n"
    finally:
        client.kill()
        await client.wait()


async def check_idle(caller, until_idle) -> None:
    """Make sure that nothing is held by anybody, and that a good request is answered."""
    await caller.until(
        lambda s: (
            (s.in_flight, s.queued) == (0, 0) and not any(engine.busy_slots for engine in s.engines)
        )
    )
    await until_idle(caller.node)
    await caller.serves_on()


async def test_a_thousand_abandoned_streams_leave_nothing_behind(
    caller, node, caller_of, tls, until_idle
) -> None:
    certificate = tls(Role.BENCH, "leaver")
    before = (await caller.engine()).cancelled_samples
    async with asyncio.timeout(90):
        # Once, every slot is filled and every buffer has its size.
        await caller.generate(**{**LONG, "max_tokens": 600}, n=8)
        await leave_all(caller, 100)
        await check_idle(caller, until_idle)
        baseline = (await caller.engine()).memory_bytes
        own = psutil.Process(node.process.pid).memory_full_info().uss
        await leave_all(caller, 500)
        for _ in range(35):
            await close_channel(caller_of, node, certificate, 10)
        await kill_client(node, certificate, 50)
        await check_idle(caller, until_idle)
    engine = await caller.engine()
    own_after = psutil.Process(node.process.pid).memory_full_info().uss
    print(
        f"engine {baseline / MEBIBYTE:.1f} to {engine.memory_bytes / MEBIBYTE:.1f} MiB, "
        f"node {own / MEBIBYTE:.1f} to {own_after / MEBIBYTE:.1f} MiB"
    )
    assert engine.cancelled_samples - before >= 900  # those that were not even queued are none
    assert engine.restarts == 0
    assert engine.memory_bytes <= 1.05 * baseline
    assert own_after <= 1.1 * own  # a tenth of it is what gRPC keeps of its largest load


async def read_on(stream) -> int | str:
    """Read what is left; gives its tokens, all of them unless the reader was too far behind."""
    tokens = 0
    try:
        async for message in stream:
            tokens += sum(len(delta.tokens) for delta in message.step.deltas)
    except Overloaded as error:
        assert "tokens behind" in error.message  # noqa: PT017
        return "given up"
    return tokens


async def test_readers_that_do_not_read_disturb_nobody_and_hold_no_slot(
    caller, node, until_idle
) -> None:
    process = psutil.Process(node.process.pid)
    alone = (await caller.generate(**RIGHT)).texts[0]
    before = process.memory_full_info().uss
    async with asyncio.timeout(40):
        idlers = [caller.stream(**HEAVY) for _ in range(4)]
        for idler in idlers:
            assert await idler.read()
        beside = [(await caller.generate(**RIGHT)).texts[0] for _ in range(4)]
        # They still read nothing, and yet their slots are free.
        await caller.until(lambda s: s.engines[0].busy_slots == s.queued == s.in_flight == 0)
        grown = process.memory_full_info().uss - before
        print(f"the node grew by {grown / MEBIBYTE:.1f} MiB for {len(idlers)} readers")
        assert beside == [alone] * 4
        assert grown < len(idlers) * MEBIBYTE
        for idler in idlers:
            assert await read_on(idler) in {HEAVY["max_tokens"], "given up"}
        await check_idle(caller, until_idle)


HOSTILE = (
    {"grammar": "root ::= " + "(" * 5000 + '"a"' + ")" * 5000},
    {"grammar": "root ::= " + "[" * 100_000},
    {"grammar": "root ::= " + '"a" | ' * 170_000 + '"a"'},
    {"grammar": 'root ::= root "a" | root root | "a"'},
    {"grammar": 'root ::= "a"{1000000000}'},
    {"grammar": "\x00\x01\x02"},
    {"grammar": 'root ::= "a"\x00 | "b"'},
    {"grammar": "root ::= missing"},
    {"json_schema": "[" * 500_000},
    {"json_schema": '{"items":' * 3000 + "{}" + "}" * 3000},
    {"json_schema": '{"type": "array", "items": {"type": "string"}, "minItems": 1000000000}'},
    {"json_schema": '{"type": "array", "items": {"type": "string"}, "maxItems": 1000000000}'},
    {"json_schema": '{"type": "string", "minLength": 1000000000}'},
    {"json_schema": '{"type": "string", "minLength": 1e400}'},
    {"json_schema": '{"type": "string", "pattern": "^a{1000000000}$"}'},
    {"json_schema": '{"$ref": "https://example.com/schema.json"}'},
    {"temperature": math.nan},
    {"temperature": -math.inf},
    {"top_p": math.nan},
    {"top_p": -0.5},
    {"top_k": -(2**31)},
    {"min_p": -1.0},
    {"typical_p": math.nan},
    {"repeat_penalty": -1.0},
    {"frequency_penalty": math.nan},
    {"presence_penalty": math.inf},
    {"mirostat_tau": -1.0},
    {"mirostat_eta": math.nan},
    {"max_tokens": -(2**31)},
    {"logit_bias": {-1: 1.0}},
    {"logit_bias": {3: math.inf}},
    {"n": -1},
    {"priority": -(2**31)},
)


async def test_a_burst_of_hostile_requests_is_refused_beside_streams_that_finish_right(
    caller, until_idle
) -> None:
    alone = (await caller.generate(**RIGHT)).texts[0]

    async def refused(options: dict[str, object]) -> str:
        try:
            await caller.generate(**{"prompt": "a", "max_tokens": 4, **options})
        except InvalidRequest as error:
            return error.metadata["field"]
        return "no field: it was answered"

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        good = [group.create_task(caller.generate(**RIGHT)) for _ in range(3)]
        bad = [group.create_task(refused(options)) for options in HOSTILE * 3]
    for task, options in zip(bad, HOSTILE * 3, strict=True):
        name = next(iter(options))
        assert task.result().partition("[")[0] in {name, f"sampling.{name}"}, str(options)[:90]
    assert [task.result().texts[0] for task in good] == [alone] * 3
    await check_idle(caller, until_idle)
    assert [engine.restarts for engine in (await caller.status()).engines] == [0, 0]


async def test_an_engine_that_a_grammar_holds_up_disturbs_no_other_model(
    caller, until_idle
) -> None:
    """Each token of this grammar doubles the ways to read the text: its engine has to be ended."""
    other = {**RIGHT, "model": "atlas", "max_tokens": 1000}
    alone = (await caller.generate(**other)).texts[0]

    async def beside() -> bool:
        try:
            await caller.generate(**RIGHT)
        except ModelCrashed as crash:
            return crash.retryable
        return True

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        elsewhere = group.create_task(caller.generate(**other))
        shares = group.create_task(beside())
        with pytest.raises(InvalidRequest, match="takes more than 2 s"):
            await caller.generate(**LONG, grammar='root ::= "a" root "b" | "a" root "c" | "a"')
    assert elsewhere.result().texts[0] == alone
    assert shares.result()
    await caller.until(lambda s: s.engines[0].restarts == 1 and s.engines[0].pid > 0)
    await check_idle(caller, until_idle)
    assert [engine.restarts for engine in (await caller.status()).engines] == [1, 0]
