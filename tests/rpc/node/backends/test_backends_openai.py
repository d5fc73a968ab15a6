"""A real llama.cpp server behind a real node: the same contract as the node's own engine."""

from __future__ import annotations

import asyncio
import math

import pytest

from quorate.errors import (
    ContextOverflow,
    InvalidRequest,
    NotImplementedYet,
    Overloaded,
    PeerUnreachable,
    WrongModel,
)
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
QUESTION = "What is 12 + 30?"
REMOTE = ("remote", "plain")
ENDLESS = {"prompt": "Once", "logit_bias": {2: -100.0}}
ANYTHING_GOES = {"temperature": 5.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "max_tokens": 30}


@pytest.mark.parametrize("model", REMOTE)
async def test_a_server_answers_as_the_nodes_own_engine_does(mixed, model) -> None:
    own = await mixed.generate(model="abacus", question=QUESTION)
    heard = await mixed.generate(model=model, question=QUESTION)
    assert heard.order[0] == "started"
    assert heard.order[-1] == "finished"
    assert heard.started.model == model
    assert heard.texts == own.texts
    finished = heard.finished[0]
    assert finished.reason == common_pb2.FINISH_REASON_STOP
    assert finished.usage.prompt_tokens == own.finished[0].usage.prompt_tokens
    assert "".join(token.text for token in heard.tokens[0]) == heard.texts[0]
    assert finished.mean_logprob == pytest.approx(own.finished[0].mean_logprob, abs=0.02)
    assert 0 < finished.timings.time_to_first_token_seconds <= finished.timings.total_seconds


async def test_llama_cpp_counts_the_prompt_before_it_answers(mixed) -> None:
    own = await mixed.generate(model="abacus", question=QUESTION, max_tokens=2)
    heard = await mixed.generate(model="remote", question=QUESTION, max_tokens=2)
    assert heard.started.prompt_tokens == own.started.prompt_tokens


@pytest.mark.parametrize("model", REMOTE)
async def test_a_prompt_is_continued_as_it_is(mixed, model) -> None:
    own = await mixed.generate(model="abacus", prompt="What is", max_tokens=20)
    heard = await mixed.generate(model=model, prompt="What is", max_tokens=20)
    assert heard.texts == own.texts


@pytest.mark.parametrize("model", REMOTE)
async def test_alternatives_are_the_ones_that_the_own_engine_tells(mixed, model) -> None:
    options = {"question": QUESTION, "top_logprobs": 3, "max_tokens": 8}
    own = await mixed.generate(model="abacus", **options)
    heard = await mixed.generate(model=model, **options)
    for token, expected in zip(heard.tokens[0], own.tokens[0], strict=True):
        assert token.token == expected.token
        assert [other.text for other in token.top] == [other.text for other in expected.top]
        assert token.top[0].logprob == pytest.approx(expected.top[0].logprob, abs=0.05)
    assert math.isfinite(heard.finished[0].mean_logprob)


async def test_samples_are_spoken_at_the_same_time_and_sample_i_has_seed_plus_i(mixed) -> None:
    heard = await mixed.generate(model="remote", prompt="What is", seed=5, n=3, **ANYTHING_GOES)
    alone = await mixed.generate(model="remote", prompt="What is", seed=7, **ANYTHING_GOES)
    assert set(heard.finished) == {0, 1, 2}
    assert len(set(heard.texts.values())) == 3
    assert heard.texts[2] == alone.texts[0]
    assert heard.started.seed == 5
    assert heard.finished[1].usage.prompt_tokens == 0  # the prompt counts with sample 0 only


async def test_max_tokens_ends_a_sample_by_length(mixed) -> None:
    heard = await mixed.generate(model="remote", **ENDLESS, max_tokens=5)
    assert heard.finished[0].reason == common_pb2.FINISH_REASON_LENGTH
    assert heard.finished[0].usage.completion_tokens == 5


async def test_a_full_context_is_told_from_max_tokens(mixed) -> None:
    heard = await mixed.generate(model="remote", prompt="x " * 950, logit_bias={2: -100.0},
                                 max_tokens=2048)  # fmt: skip
    assert heard.finished[0].reason == common_pb2.FINISH_REASON_CONTEXT_FULL


async def test_a_stop_text_ends_the_sample_and_is_no_part_of_it(mixed) -> None:
    whole = await mixed.generate(model="remote", question=QUESTION)
    stop = whole.texts[0][5:9]
    heard = await mixed.generate(model="remote", question=QUESTION, stop=[stop])
    assert heard.texts[0] == whole.texts[0][: whole.texts[0].index(stop)]


async def test_a_grammar_and_a_schema_bind_the_answer(mixed) -> None:
    heard = await mixed.generate(model="remote", question=QUESTION, grammar='root ::= "7" [0-9]')
    assert heard.texts[0][0] == "7"
    assert len(heard.texts[0]) == 2
    schema = '{"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"]}'
    for model in REMOTE:
        heard = await mixed.generate(model=model, question=QUESTION, json_schema=schema)
        assert heard.texts[0].replace(" ", "").replace("\n", "") in ('{"a":1}', '{"a":2}')


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"top_k": 5}, "sampling.top_k"),
        ({"min_p": 0.5}, "sampling.min_p"),
        ({"repeat_penalty": 1.5}, "sampling.repeat_penalty"),
        ({"mirostat_tau": 3.0}, "sampling.mirostat_tau"),
        ({"grammar": 'root ::= "a"'}, "sampling.grammar"),
    ],
)
async def test_a_field_that_the_dialect_lacks_is_refused_by_name(mixed, options, field) -> None:
    with pytest.raises(InvalidRequest, match="dialect openai") as caught:
        await mixed.generate(model="plain", prompt="a", **options)
    assert caught.value.metadata["field"] == field


@pytest.mark.parametrize(
    "sampling",
    [
        {"temperature": 1.0, "mirostat_tau": 3.0, "mirostat_eta": 0.2},
        {"temperature": 1.0, "typical_p": 0.5, "top_k": 0, "top_p": 0.5, "min_p": 0.1},
        {"repeat_penalty": 1.9, "frequency_penalty": 1.0, "presence_penalty": -1.0},
    ],
)
async def test_every_sampling_field_of_llama_cpp_is_taken(mixed, sampling) -> None:
    heard = await mixed.generate(model="remote", prompt="What is", max_tokens=9, seed=1, **sampling)
    assert heard.finished[0].usage.completion_tokens >= 1


async def test_a_repeat_penalty_reaches_the_sampler(mixed) -> None:
    free = await mixed.generate(model="remote", **ENDLESS, max_tokens=60)
    bound = await mixed.generate(model="remote", **ENDLESS, max_tokens=60, repeat_penalty=1.9)
    assert free.texts != bound.texts


async def test_a_bad_grammar_or_schema_is_the_callers_fault(mixed) -> None:
    with pytest.raises(InvalidRequest, match=r"(?i)grammar"):
        await mixed.generate(model="remote", prompt="a", grammar="root ::= (")
    with pytest.raises(InvalidRequest, match="json_schema") as caught:
        await mixed.generate(model="remote", prompt="a", json_schema="[1]")
    assert caught.value.metadata["field"] == "sampling.json_schema"


@pytest.mark.parametrize("model", REMOTE)
async def test_a_prompt_beyond_the_context_is_told(mixed, model) -> None:
    with pytest.raises(ContextOverflow, match="Shorten the prompt") as caught:
        await mixed.generate(model=model, question="word " * 3000)
    assert caught.value.metadata["limit"] == "2048"


async def test_a_fingerprint_cannot_be_expected_of_this_backend(mixed) -> None:
    with pytest.raises(WrongModel, match="no SHA-256"):
        await mixed.generate(model="remote", prompt="a", model_sha256="0" * 64)


async def test_a_conversation_and_a_text_are_tokenized_as_by_the_own_engine(mixed) -> None:
    for what in ({"messages": [common_pb2.ChatMessage(content=QUESTION)]}, {"text": QUESTION}):
        own, remote = [
            await mixed.stub.Tokenize(node_pb2.TokenizeRequest(model=model, **what))
            for model in ("abacus", "remote")
        ]
        assert list(remote.tokens) == list(own.tokens)
    with pytest.raises(NotImplementedYet, match=r"Tokenize.*`dialect`"):
        await mixed.stub.Tokenize(node_pb2.TokenizeRequest(model="plain", text="a"))


async def test_embeddings_have_unit_length_and_tell_texts_apart(mixed) -> None:
    texts = ["The capital of France", "The capital of France", "7 * 8"]
    vectors = (
        await mixed.stub.Embed(node_pb2.EmbedRequest(model="vectors", texts=texts))
    ).embeddings
    for vector in vectors:
        assert sum(value**2 for value in vector.values) == pytest.approx(1, abs=1e-4)
    assert list(vectors[0].values) == pytest.approx(list(vectors[1].values), abs=1e-4)
    assert sum(a * b for a, b in zip(vectors[0].values, vectors[2].values, strict=True)) < 0.99


async def test_scores_are_refused_by_name(mixed) -> None:
    with pytest.raises(NotImplementedYet, match=r"Score.*llama\.cpp"):
        await mixed.stub.Score(node_pb2.ScoreRequest(model="remote", prompt="a", candidates=["b"]))


async def test_models_tell_their_backend_and_what_the_server_says_of_them(mixed) -> None:
    listed = await mixed.stub.ListModels(node_pb2.ListModelsRequest())
    models = {model.name: model for model in listed.models}
    remote = models["remote"]
    assert (remote.backend, remote.source, remote.context_tokens, remote.slots) == (
        "openai", "calculator", 2048, 4,
    )  # fmt: skip
    assert remote.quantization == "Q8_0"
    assert remote.state == models["plain"].state == common_pb2.MODEL_STATE_READY
    assert models["abacus"].backend == "llama.cpp"


async def test_a_server_that_is_not_there_is_told_with_what_to_do(mixed) -> None:
    status = await mixed.status()
    silent = next(model for model in status.models if model.name == "silent")
    assert silent.state == common_pb2.MODEL_STATE_FAILED
    assert "http://127.0.0.1:9" in silent.problem
    with pytest.raises(PeerUnreachable, match="Start the server"):
        await mixed.generate(model="silent", prompt="a")


async def test_more_than_slots_and_queue_hold_is_refused_with_when_to_come_back(mixed) -> None:
    stream = mixed.stream(model="remote", **ENDLESS, max_tokens=2000, n=12)
    async for _ in stream:
        break
    with pytest.raises(Overloaded, match="queue is full") as caught:
        await mixed.generate(model="remote", prompt="a")
    assert caught.value.retry_after_seconds
    stream.cancel()
    await mixed.until(lambda s: _engine(s, "remote").busy_slots == _engine(s, "remote").queued == 0)
    assert (await mixed.generate(model="remote", prompt="a", max_tokens=1)).finished


async def test_work_of_a_server_is_counted(mixed) -> None:
    before = _engine(await mixed.status(), "remote")
    heard = await mixed.generate(model="remote", **ENDLESS, max_tokens=20, n=2)
    after = _engine(await mixed.status(), "remote")
    assert sum(f.usage.completion_tokens for f in heard.finished.values()) == 40
    assert after.generated_tokens - before.generated_tokens == 40
    assert after.cancelled_samples == before.cancelled_samples
    assert after.pid == 0


async def test_two_models_deliberate_across_backends(mixed) -> None:
    kinds, verdict = [], None
    request = node_pb2.DeliberateRequest(
        models=["abacus", "remote"], messages=[common_pb2.ChatMessage(content=QUESTION)]
    )
    async with asyncio.timeout(30):
        async for message in mixed.stub.Deliberate(request):
            kinds.append(message.WhichOneof("event"))
            if kinds[-1] == "verdict":
                verdict = message.verdict
    assert kinds.count("ballot") == 2
    assert verdict.agreed
    assert verdict.answer.text == "42"


def _engine(status: common_pb2.NodeStatus, model: str) -> common_pb2.EngineStatus:
    return next(engine for engine in status.engines if engine.model == model)
