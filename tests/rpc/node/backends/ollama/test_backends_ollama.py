"""Ollama's protocol behind a real node; the server replays its reference, and is not Ollama."""

from __future__ import annotations

import pytest

from quorate.errors import (
    ConfigurationError,
    ContextOverflow,
    InvalidRequest,
    ModelCrashed,
    NotImplementedYet,
    Overloaded,
    UnknownModel,
    WrongModel,
)
from quorate.v1 import common_pb2, node_pb2

pytestmark = pytest.mark.anyio
QUESTION = "What is 12 + 30?"


async def test_a_chat_is_answered_with_tokens_counts_and_identity(caller, ollama) -> None:
    heard = await caller.generate(model="tiny", question=QUESTION, seed=7)
    assert (heard.order[0], heard.order[-1]) == ("started", "finished")
    assert set(heard.order[1:-1]) == {"step"}
    assert heard.texts[0] == "The answer is 42."
    assert heard.started.model_sha256 == "a" * 64
    assert [token.text for token in heard.tokens[0]] == ["The", " answer", " is", " 42", "."]
    finished = heard.finished[0]
    assert finished.reason == common_pb2.FINISH_REASON_STOP
    assert (finished.usage.prompt_tokens, finished.usage.completion_tokens) == (5, 5)
    assert finished.mean_logprob == pytest.approx(-0.25)
    body = ollama.last("/api/chat")
    assert body["messages"] == [{"role": "user", "content": QUESTION}]
    assert (body["truncate"], body["shift"]) == (False, False)


async def test_options_are_the_contracts_and_not_ollamas_defaults(caller, ollama) -> None:
    await caller.generate(model="tiny", question=QUESTION, seed=7, max_tokens=9, stop=["x"])
    assert ollama.last("/api/chat")["options"] == {
        "temperature": 0.0, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "typical_p": 1.0,
        "repeat_penalty": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0,
        "repeat_last_n": 64, "seed": 7, "num_predict": 9, "num_ctx": 4096, "stop": ["x"],
    }  # fmt: skip


async def test_a_prompt_is_sent_raw(caller, ollama) -> None:
    heard = await caller.generate(model="tiny", prompt="What is")
    assert heard.texts[0] == "The answer is 42."
    body = ollama.last("/api/generate")
    assert (body["prompt"], body["raw"]) == ("What is", True)


async def test_sample_i_is_a_request_with_seed_plus_i(caller, ollama) -> None:
    heard = await caller.generate(model="tiny", prompt="What is", seed=5, n=3, temperature=1.0)
    assert heard.texts == {0: "5 drawn", 1: "6 drawn", 2: "7 drawn"}


async def test_alternatives_are_told(caller) -> None:
    heard = await caller.generate(model="tiny", question=QUESTION, top_logprobs=2)
    assert [other.text for other in heard.tokens[0][0].top] == ["The", " other"]
    assert heard.tokens[0][0].token == -1  # Ollama tells texts of tokens, not their ids


async def test_a_schema_is_the_format(caller, ollama) -> None:
    schema = '{"type": "object", "properties": {"a": {"type": "integer"}}}'
    heard = await caller.generate(model="tiny", question=QUESTION, json_schema=schema)
    assert heard.texts[0] == '{"a": 1}'
    assert ollama.last("/api/chat")["format"]["type"] == "object"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"grammar": 'root ::= "a"'}, "sampling.grammar"),
        ({"logit_bias": {3: 1.0}}, "sampling.logit_bias"),
        ({"mirostat_tau": 3.0}, "sampling.mirostat_tau"),
        ({"repeat_penalty": 1.5}, "sampling.repeat_penalty"),
        ({"typical_p": 0.5}, "sampling.typical_p"),
    ],
)
async def test_what_ollama_would_drop_without_a_word_is_refused(caller, options, field) -> None:
    with pytest.raises(InvalidRequest, match="Ollama") as caught:
        await caller.generate(model="tiny", prompt="a", **options)
    assert caught.value.metadata["field"] == field


async def test_a_penalty_that_the_settings_vouch_for_is_sent(
    ollama, model, start_node, caller_of, peers
) -> None:
    more = {"sampling": ["repeat_penalty"], "keep_alive": -1, "context_tokens": 1024}
    with start_node("vouched", models=[model | more]) as node:
        await caller_of(peers, node).generate(model="tiny", prompt="a", repeat_penalty=1.5)
    body = ollama.last("/api/generate")
    assert body["options"]["repeat_penalty"] == 1.5
    assert body["options"]["num_ctx"] == 1024
    assert body["keep_alive"] == -1


async def test_the_limits_of_an_answer_are_told_apart(caller, ollama) -> None:
    heard = await caller.generate(model="tiny", prompt="a", max_tokens=2)
    assert heard.finished[0].reason == common_pb2.FINISH_REASON_LENGTH
    heard = await caller.generate(model="tiny", prompt="x " * 4093, max_tokens=100)
    assert heard.finished[0].reason == common_pb2.FINISH_REASON_CONTEXT_FULL


async def test_a_prompt_that_does_not_fit_is_refused_rather_than_cut(caller) -> None:
    with pytest.raises(ContextOverflow, match="Shorten the prompt"):
        await caller.generate(model="tiny", prompt="x " * 5000)


async def test_thoughts_keep_their_marks(caller, ollama) -> None:
    ollama.thinking = "12 and 30"
    heard = await caller.generate(model="tiny", question=QUESTION)
    assert heard.texts[0] == "<think>12 and 30</think>The answer is 42."


async def test_a_caller_that_leaves_closes_the_connection_so_that_ollama_stops(
    caller, ollama
) -> None:
    ollama.pause_seconds = 0.005
    stream = caller.stream(model="tiny", prompt="a", max_tokens=2000, n=3)
    async for message in stream:
        if message.HasField("step"):
            break
    stream.cancel()
    await caller.until(lambda _: ollama.abandoned == 3)
    assert ollama.generated < 1000
    status = await caller.until(lambda s: s.engines[0].busy_slots == 0)
    assert status.in_flight == 0


async def test_whether_it_is_loaded_is_read_and_not_assumed(caller, ollama) -> None:
    assert (await caller.engine("tiny")).memory_bytes == 0
    await caller.generate(model="tiny", prompt="a")
    await caller.until(lambda s: s.engines[0].memory_bytes == 1234567)
    ollama.loaded.clear()
    await caller.until(lambda s: s.engines[0].memory_bytes == 0)


async def test_what_ollama_says_of_the_model_is_listed(caller) -> None:
    listed = (await caller.stub.ListModels(node_pb2.ListModelsRequest())).models[0]
    assert (listed.backend, listed.source, listed.architecture) == ("ollama", "tiny:1b", "llama")
    assert (listed.quantization, listed.parameters) == ("Q4_K_M", 1235814432)
    assert (listed.sha256, listed.context_tokens) == ("a" * 64, 4096)


async def test_a_model_that_is_exchanged_never_answers_for_the_first(caller, ollama) -> None:
    await caller.generate(model="tiny", prompt="a", model_sha256="a" * 64)
    ollama.digests["tiny:1b"] = "b" * 64
    with pytest.raises(WrongModel, match="has been exchanged"):
        await caller.generate(model="tiny", prompt="a", model_sha256="a" * 64)
    await caller.until(lambda s: s.models[0].sha256 == "b" * 64)
    with pytest.raises(WrongModel, match="b" * 64):
        await caller.generate(model="tiny", prompt="a", model_sha256="a" * 64)
    heard = await caller.generate(model="tiny", prompt="a")
    assert heard.started.model_sha256 == "b" * 64


async def test_a_model_that_is_not_there_is_told_with_the_command(caller, ollama) -> None:
    del ollama.digests["tiny:1b"]
    ollama.digests["tiny:3b"] = "c" * 64
    with pytest.raises(UnknownModel, match=r"Did you mean 'tiny:3b'\? Run `ollama pull tiny:1b`"):
        await caller.generate(model="tiny", prompt="a")
    await caller.until(lambda s: s.models[0].state == common_pb2.MODEL_STATE_FAILED)


async def test_an_ollama_that_would_cut_prompts_is_refused(caller, ollama) -> None:
    ollama.version = "0.9.6"
    await caller.until(lambda s: s.models[0].state == common_pb2.MODEL_STATE_FAILED)
    with pytest.raises(ConfigurationError, match=r"is 0\.9\.6.*Update it to 0\.12\.11"):
        await caller.generate(model="tiny", prompt="a")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ((503, "server busy, please try again. maximum pending requests exceeded"), Overloaded),
        ((500, "llama runner process has terminated: signal: killed"), ModelCrashed),
    ],
)
async def test_its_refusals_have_a_kind(caller, ollama, failure, kind) -> None:
    ollama.failure = failure
    with pytest.raises(kind, match=failure[1][:20]):
        await caller.generate(model="tiny", prompt="a")


async def test_a_failure_within_an_answer_has_a_kind_too(caller, ollama) -> None:
    ollama.failure_within = "an error was encountered while running the model: terminated"
    with pytest.raises(ModelCrashed, match="while running the model"):
        await caller.generate(model="tiny", prompt="a")


async def test_embeddings_have_unit_length_and_are_not_cut(caller, ollama) -> None:
    request = node_pb2.EmbedRequest(model="tiny", texts=["a", "bb"])
    vectors = (await caller.stub.Embed(request)).embeddings
    assert list(vectors[0].values) == pytest.approx([0.6, 0.8, 0.0])
    assert ollama.last("/api/embed")["truncate"] is False


async def test_what_it_cannot_do_is_named(caller) -> None:
    with pytest.raises(NotImplementedYet, match="Tokenize"):
        await caller.stub.Tokenize(node_pb2.TokenizeRequest(model="tiny", text="a"))
    with pytest.raises(NotImplementedYet, match="Score"):
        await caller.stub.Score(node_pb2.ScoreRequest(model="tiny", prompt="a", candidates=["b"]))
