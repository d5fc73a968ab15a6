"""Spans of models' work bear OpenTelemetry's GenAI names, and never a word of what was asked."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from oteltest.sink import GrpcSink
from oteltest.sink.handler import RequestHandler

from quorate.errors import QuorateError
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
SECRET = "xyzzy plugh"
EXPORTED_WITHIN_SECONDS = 20.0
PAUSE_SECONDS = 0.02


class Spans(RequestHandler):
    """Keeps the spans that arrive."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def handle_trace(self, request: Any, headers: object) -> None:
        for batch in request.resource_spans:
            self.seen += [span for scope in batch.scope_spans for span in scope.spans]

    def handle_metrics(self, request: object, headers: object) -> None:
        pytest.fail("only spans are sent by OTLP")

    def handle_logs(self, request: object, headers: object) -> None:
        pytest.fail("only spans are sent by OTLP")

    def named(self, name: str) -> list[Any]:
        return [span for span in self.seen if span.name == name]


@pytest.fixture
def receiver(free_port: int) -> Any:
    handler = Spans()
    sink = GrpcSink(handler, logging.getLogger("sink"), port=free_port)
    sink.start()
    handler.endpoint = f"http://127.0.0.1:{free_port}"
    yield handler
    sink.svr.stop(grace=None).wait()


def attributes(span: Any) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        kind = value.WhichOneof("value")
        if kind == "array_value":
            return [plain(item) for item in value.array_value.values]
        return getattr(value, kind)

    return {item.key: plain(item.value) for item in span.attributes}


async def test_spans_say_what_was_asked_of_a_model_and_what_came_of_it(
    start_node, caller_of, peers, receiver
) -> None:
    settings = {"telemetry": {"otlp_endpoint": receiver.endpoint}}
    models = [{"name": "abacus"}, {"name": "atlas"}]
    with start_node("traced", models=models, **settings) as node:
        caller = caller_of(peers, node)
        heard = await caller.generate(
            question=SECRET, n=2, max_tokens=5, temperature=0.5, top_p=0.75, seed=9
        )
        await caller.generate(prompt=SECRET, max_tokens=3, logit_bias={2: -100.0})
        with pytest.raises(QuorateError):
            await caller.generate(prompt=SECRET, question=SECRET)
        with pytest.raises(QuorateError):
            await caller.generate(prompt=f"{SECRET} " * 3000)
        deliberated = caller.stub.Deliberate(
            node_pb2.DeliberateRequest(
                messages=[common_pb2.ChatMessage(content=SECRET)],
                sampling=common_pb2.Sampling(max_tokens=4, stop=[SECRET]),
            )
        )
        async for _ in deliberated:
            pass
        await caller.stub.Score(
            node_pb2.ScoreRequest(model="atlas", prompt=SECRET, candidates=[SECRET])
        )
        await caller.stub.Embed(node_pb2.EmbedRequest(model="atlas", texts=[SECRET]))
    async with asyncio.timeout(EXPORTED_WITHIN_SECONDS):
        while not receiver.named("embeddings atlas"):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)

    assert not [span for span in receiver.seen if SECRET.encode() in span.SerializeToString()]
    chat = attributes(receiver.named("chat abacus")[0])
    assert chat["gen_ai.operation.name"] == "chat"
    assert chat["gen_ai.provider.name"] == "llama.cpp"
    assert chat["gen_ai.request.model"] == chat["gen_ai.response.model"] == "abacus"
    assert chat["gen_ai.request.temperature"] == 0.5
    assert chat["gen_ai.request.top_p"] == 0.75
    assert chat["gen_ai.request.max_tokens"] == 5
    assert chat["gen_ai.request.seed"] == 9
    assert chat["gen_ai.request.choice.count"] == 2
    assert len(chat["gen_ai.response.finish_reasons"]) == 2
    assert set(chat["gen_ai.response.finish_reasons"]) <= {"stop", "length"}
    assert chat["gen_ai.usage.input_tokens"] == heard.started.prompt_tokens
    assert chat["gen_ai.usage.output_tokens"] == sum(
        finished.usage.completion_tokens for finished in heard.finished.values()
    )
    assert "error.type" not in chat

    finished, overflowed = map(attributes, receiver.named("text_completion abacus"))
    assert finished["gen_ai.usage.output_tokens"] == 3
    assert overflowed["error.type"] == "CONTEXT_OVERFLOW"
    assert receiver.named("text_completion abacus")[1].status.message == "CONTEXT_OVERFLOW"

    (whole,) = receiver.named("deliberate")
    parts = [*receiver.named("chat abacus")[1:], *receiver.named("chat atlas")]
    assert len(parts) == 2
    assert {part.parent_span_id for part in parts} == {whole.span_id}
    assert attributes(whole)["agreed"] in {True, False}

    score = attributes(receiver.named("score atlas")[0])
    assert (score["gen_ai.operation.name"], score["gen_ai.usage.output_tokens"]) == ("score", 0)
    embeddings = attributes(receiver.named("embeddings atlas")[0])
    assert embeddings["gen_ai.operation.name"] == "embeddings"
    assert embeddings["gen_ai.embeddings.dimension.count"] >= 32
    assert embeddings["gen_ai.usage.input_tokens"] > 0
