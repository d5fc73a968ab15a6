"""What a node says to Prometheus is what happened, and its gauges come back to 0."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import urllib.request
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from quorate.errors import DeadlineExceeded, ModelCrashed, Overloaded, QuorateError, UnknownModel
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
LONG = {"prompt": "Once", "logit_bias": {2: -100.0}}
PAUSE_SECONDS = 0.02
GAUGES = ("quorate_engine_queue", "quorate_requests_in_flight", "quorate_rpc_in_flight")


class Scraped:
    """One scrape of a node."""

    def __init__(self, text: str) -> None:
        self.values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def of(self, name: str, **labels: str) -> float:
        labels.setdefault("model", "abacus")
        return self.values.get((f"quorate_{name}", frozenset(labels.items())), 0.0)

    def busy(self) -> dict[object, float]:
        """The gauges of work in progress that are not 0."""
        return {
            (name, labels): value
            for (name, labels), value in self.values.items()
            if value
            and (name in GAUGES or (name == "quorate_engine_slots" and ("state", "busy") in labels))
        }


async def scrape(node) -> Scraped:
    port = json.loads((node.log.parent / f"{node.name}.ready").read_text())["metrics_port"]

    def read() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            return page.read().decode()

    return Scraped(await asyncio.to_thread(read))


async def until(node, holds: Callable[[Scraped], bool]) -> Scraped:
    async with asyncio.timeout(20):
        while not holds(scraped := await scrape(node)):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)
        return scraped


async def until_idle(node) -> Scraped:
    """Wait until nothing is in progress; GetStatus itself is a call, so none is made."""
    return await until(node, lambda scraped: not scraped.busy())


@pytest.fixture(scope="module")
def node(start_node):
    models = [{"name": "abacus", "slots": 4, "queue": 4}, {"name": "atlas"}]
    with start_node("metered", models=models, telemetry={"metrics_port": 0}) as running:
        yield running


@pytest.fixture
async def caller(caller_of, peers, node):
    return caller_of(peers, node)


async def test_every_token_step_and_second_of_a_request_is_counted(caller, node) -> None:
    before = await scrape(node)
    heard = await caller.generate(**LONG, max_tokens=30, n=3)
    after = await until_idle(node)

    def gained(name: str, **labels: str) -> float:
        return after.of(name, **labels) - before.of(name, **labels)

    prompt = heard.started.prompt_tokens
    assert gained("tokens_total", kind="completion") == 90
    assert gained("tokens_total", kind="prompt") + gained("tokens_total", kind="cached") == (
        pytest.approx(3 * prompt, abs=3)
    )
    assert gained("samples_total", reason="length") == 3
    assert gained("generate_time_to_first_token_seconds_count") == 1
    assert gained("generate_seconds_count") == gained("queue_seconds_count") == 3
    # Steps whose messages were read together count once.
    assert 1 <= gained("inter_token_seconds_count") <= 31
    assert gained("decode_batch_samples_sum") == 90
    assert 30 <= gained("decode_batch_samples_count") <= gained("decode_steps_total") <= 40
    whole = gained("generate_seconds_sum") / 3
    assert 0 < gained("generate_time_to_first_token_seconds_sum") < whole
    assert 0 < gained("inter_token_seconds_sum") < whole


async def test_work_in_progress_is_seen_while_it_lasts(caller, node) -> None:
    streams = [caller.stream(**LONG, max_tokens=2000, n=3) for _ in range(2)]
    seen = await until(node, lambda s: s.of("engine_queue") == 2)
    assert seen.of("engine_slots", state="busy") == 4
    assert seen.of("engine_slots", state="free") == 0
    assert seen.of("requests_in_flight") == 2
    assert seen.of("requests_in_flight", model="atlas") == 0
    assert 0 <= seen.of("kv_cache_usage_ratio") <= 1
    for stream in streams:
        stream.cancel()
    after = await until_idle(node)
    assert after.of("engine_slots", state="free") == 4


async def test_a_cancel_is_counted_as_one_and_frees_all(caller, node) -> None:
    before = await scrape(node)
    stream = caller.stream(**LONG, max_tokens=2000, n=4)
    async for message in stream:
        if message.HasField("step"):
            break
    stream.cancel()
    after = await until_idle(node)
    was = before.of("samples_total", reason="cancelled")
    assert after.of("samples_total", reason="cancelled") == was + 4
    with pytest.raises(DeadlineExceeded):
        async for _ in caller.stub.Generate(
            node_pb2.GenerateRequest(
                model="abacus",
                prompt="Once",
                sampling=common_pb2.Sampling(max_tokens=2000, logit_bias={2: -100.0}),
            ),
            timeout=0.2,
        ):
            pass
    last = await until_idle(node)
    assert last.of("samples_total", reason="cancelled") == was + 5


async def test_refusals_are_counted_by_kind_and_leave_nothing(caller, node) -> None:
    before = await scrape(node)
    streams = [caller.stream(**LONG, max_tokens=2000, n=4) for _ in range(2)]
    await until(node, lambda s: s.of("engine_queue") == 4)
    for _ in range(3):
        with pytest.raises(Overloaded):
            await caller.generate(**LONG)
    for stream in streams:
        stream.cancel()
    with pytest.raises(QuorateError):
        await caller.generate(prompt="a", max_tokens=-1)
    after = await until_idle(node)
    for kind, count in (("OVERLOADED", 3), ("INVALID_REQUEST", 1)):
        was = before.of("request_errors_total", kind=kind)
        assert after.of("request_errors_total", kind=kind) == was + count


async def test_names_that_callers_make_up_make_no_series(caller, node) -> None:
    before = await scrape(node)
    for number in range(5):
        with pytest.raises(UnknownModel):
            await caller.generate(model=f"made-up-{number}", prompt="a")
    after = await scrape(node)
    was = before.of("request_errors_total", model="", kind="UNKNOWN_MODEL")
    assert after.of("request_errors_total", model="", kind="UNKNOWN_MODEL") == was + 5
    assert not [key for key in after.values if "made-up" in str(key)]


async def test_a_crash_is_counted_and_counters_only_grow(caller, node) -> None:
    before = await scrape(node)
    pid = (await caller.engine()).pid

    async def kill_while_it_speaks() -> None:
        async for message in caller.stream(**LONG, max_tokens=2000, n=2):
            if message.HasField("step"):
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(ModelCrashed):
        await kill_while_it_speaks()
    crashed = await until_idle(node)
    assert crashed.of("request_errors_total", kind="MODEL_CRASHED") == 1
    assert crashed.of("samples_total", reason="failed") == 2
    await caller.until(lambda s: s.models[0].state == common_pb2.MODEL_STATE_READY)
    await caller.serves_on()
    after = await until_idle(node)
    assert after.of("engine_restarts_total") == before.of("engine_restarts_total") + 1
    for (name, labels), value in before.values.items():
        if name.endswith(("_total", "_count", "_bucket")):
            assert after.values[name, labels] >= value, name


async def test_a_deliberation_is_counted_by_outcome_and_per_model(caller, node) -> None:
    before = await scrape(node)
    asked = node_pb2.DeliberateRequest(
        messages=[common_pb2.ChatMessage(content="What is 12 + 30?")],
        sampling=common_pb2.Sampling(grammar='root ::= "42"'),
    )
    async for _ in caller.stub.Deliberate(asked):
        pass
    after = await until_idle(node)
    outcome = frozenset({("outcome", "agreed")})
    name = "quorate_deliberations_total"
    assert after.values[name, outcome] == before.values[name, outcome] + 1
    for model in ("abacus", "atlas"):
        was = before.of("samples_total", model=model, reason="stop")
        assert after.of("samples_total", model=model, reason="stop") == was + 1


async def test_memory_is_shown_beside_its_budget(caller, node) -> None:
    await caller.status()
    seen = await scrape(node)
    held = sum(seen.of("resident_memory_bytes", model=model) for model in ("abacus", "atlas"))
    used = seen.values["quorate_memory_used_bytes", frozenset()]
    assert 0 < held < used < seen.values["quorate_memory_budget_bytes", frozenset()]


async def test_kept_prefixes_and_the_pool_that_holds_them_are_shown(caller, node) -> None:
    prompt = "one two three four five six seven eight nine ten " * 20
    before = await scrape(node)
    first = await caller.generate(prompt=prompt, max_tokens=2)
    between = await until_idle(node)
    await caller.generate(prompt=prompt, max_tokens=2)
    after = await until_idle(node)
    tokens = first.started.prompt_tokens
    assert tokens > 200

    def gained(one: Scraped, other: Scraped, name: str, **labels: str) -> float:
        return other.of(name, **labels) - one.of(name, **labels)

    assert gained(before, between, "tokens_total", kind="prompt") >= tokens - 20
    assert gained(between, after, "prefix_cache_query_tokens_total") >= tokens - 1
    assert gained(between, after, "prefix_cache_hit_tokens_total") >= tokens - 20
    assert gained(between, after, "tokens_total", kind="prompt") <= 20
    assert 0 < after.of("kv_cache_usage_ratio") <= 1


async def test_scores_and_embeddings_are_counted_and_leave_nothing(caller, node) -> None:
    before = await scrape(node)
    await caller.stub.Score(
        node_pb2.ScoreRequest(model="abacus", prompt="The sum is", candidates=["1", "2", "3"])
    )
    await caller.stub.Embed(node_pb2.EmbedRequest(model="abacus", texts=["a", "b"]))
    with pytest.raises(QuorateError):
        await caller.stub.Embed(node_pb2.EmbedRequest(model="abacus"))
    after = await until_idle(node)
    for name, count in (("candidates_scored_total", 3), ("texts_embedded_total", 2)):
        assert after.of(name) == before.of(name) + count
    said = {"name": "tokens_total", "kind": "completion"}
    assert after.of(**said) == before.of(**said)  # nothing was generated
    was = before.of("request_errors_total", kind="INVALID_REQUEST")
    assert after.of("request_errors_total", kind="INVALID_REQUEST") == was + 1
