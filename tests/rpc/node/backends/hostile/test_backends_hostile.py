"""Servers that break off, send nonsense, never end or refuse: each becomes the right error."""

from __future__ import annotations

import asyncio
import time

import pytest

from quorate.errors import (
    ConfigurationError,
    ContextOverflow,
    DeadlineExceeded,
    InternalError,
    InvalidRequest,
    ModelCrashed,
    ModelLoading,
    Overloaded,
    PeerUnreachable,
    Unavailable,
    UnknownModel,
    UnusableReply,
    WrongModel,
)
from services.node.engine.messages import FinishReason
from services.node.replica import State

pytestmark = pytest.mark.anyio
DONE = "data: [DONE]"


@pytest.fixture
def says(server_says):
    return server_says[0]


@pytest.fixture
def refuses(server_says):
    return server_says[1]


@pytest.fixture
def chunk(server_says):
    return server_says[2]


async def test_comments_and_other_fields_mean_nothing(script, asking, says, chunk) -> None:
    script.completions = [
        says(": ping", "event: x", "id: 4", chunk("a"), "", chunk("b", '"stop"'), DONE)
    ]
    async with asking() as asker:
        assert await asker.ask() == "ab"
        finished = asker.progress[-1].finished[0]
        assert finished.reason is FinishReason.STOP
        assert finished.completion_tokens == 2  # it told no usage: pieces are counted


async def test_an_end_without_done_is_an_end_when_it_has_a_reason(
    script, asking, says, chunk
) -> None:
    script.completions = [says(chunk("a", '"length"'))]
    async with asking() as asker:
        assert await asker.ask() == "a"


@pytest.mark.parametrize("events", [[], [DONE], [": ping"]])
async def test_an_answer_that_breaks_off_is_a_crash(script, asking, says, chunk, events) -> None:
    script.completions = [says(chunk("a"), *events)]
    async with asking() as asker:
        with pytest.raises(ModelCrashed, match="broke"):
            await asker.ask()
        assert asker.text == "a"


async def test_a_connection_that_closes_at_once_is_a_crash(script, asking) -> None:
    script.completions = [lambda send: None]
    async with asking() as asker:
        with pytest.raises(ModelCrashed, match="broke while it was answering"):
            await asker.ask()


@pytest.mark.parametrize(
    "event",
    [
        "data: {",
        "data: [1]",
        'data: {"choices": 1}',
        'data: {"choices": [{"delta": {"content": 3}}]}',
        "nonsense",
        "data: \udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
        '{"choices": []}',
        'data: {"choices": [{"text": "", "finish_reason": "gone"}]}',
    ],
)
async def test_nonsense_is_an_unusable_reply(script, asking, says, chunk, event) -> None:
    script.completions = [says(chunk("a"), event, chunk("b", '"stop"'), DONE)]
    async with asking() as asker:
        with pytest.raises(UnusableReply):
            await asker.ask()


async def test_a_line_without_an_end_is_given_up(script, asking) -> None:
    def flood(send) -> None:
        send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: ")
        for _ in range(1000):
            send(b"x" * 65536)

    script.completions = [flood]
    async with asking() as asker:
        with pytest.raises(UnusableReply, match="a line of more than 1048576 bytes"):
            await asker.ask()


async def test_an_answer_without_an_end_is_given_up(script, asking, says, chunk) -> None:
    script.completions = [says(*[chunk("x")] * 100_000)]
    async with asking() as asker:
        with pytest.raises(UnusableReply, match="though max_tokens was 8"):
            await asker.ask()


async def test_what_is_no_http_is_a_broken_connection(script, asking) -> None:
    script.completions = [lambda send: send(b"SSH-2.0-OpenSSH_9.9\r\n")]
    async with asking() as asker:
        with pytest.raises(ModelCrashed, match="broke"):
            await asker.ask()


async def test_a_server_that_says_nothing_is_given_up(script, asking) -> None:
    script.completions = [lambda send: time.sleep(5)]
    async with asking(silence_seconds=0.2) as asker:
        with pytest.raises(PeerUnreachable, match="silen"):
            await asker.ask()


async def test_signs_of_life_are_no_answer(script, asking, says) -> None:
    script.completions = [says(*[": ping"] * 200, pause_seconds=0.02)]
    async with asking(silence_seconds=0.3) as asker:
        with pytest.raises(PeerUnreachable, match=r"no token for 0\.3 s"):
            await asker.ask()


async def test_a_deadline_ends_a_slow_answer(script, asking, says, chunk) -> None:
    script.completions = [says(*[chunk("x")] * 8, pause_seconds=0.2)]
    async with asking() as asker:
        with pytest.raises(DeadlineExceeded):
            await asker.ask(samples=3, deadline=asyncio.get_running_loop().time() + 0.3)
        assert asker.model.engine.counters.cancelled_samples == 3


async def test_one_sample_that_fails_ends_the_request(script, asking, says, chunk) -> None:
    good = says(*[chunk("x")] * 8, chunk("", '"stop"'), DONE, pause_seconds=0.05)
    script.completions = [good, good, says(chunk("a"))]
    async with asking() as asker:
        with pytest.raises(ModelCrashed):
            await asker.ask(samples=3)


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (400, '{"error": {"message": "bad top_p"}}', InvalidRequest, "bad top_p"),
        (400, '{"error": {"message": "maximum context length is 5"}}', ContextOverflow, "Shorten"),
        (422, '{"detail": [{"msg": "max_tokens"}]}', InvalidRequest, "max_tokens"),
        (401, '{"error": {"message": "who?"}}', ConfigurationError, "api_key_file"),
        (403, "", ConfigurationError, "gave no reason"),
        (
            404,
            '{"object": "error", "message": "The model m is gone"}',
            UnknownModel,
            "remote_model",
        ),
        (404, "page not found", ConfigurationError, "`url` and `backend`"),
        (302, "", ConfigurationError, "elsewhere"),
        (418, "teapot", InternalError, "teapot"),
        (429, '{"error": {"message": "slow down"}}', Overloaded, "slow down"),
        (500, '{"error": "boom"}', Unavailable, "boom"),
        (502, "<html>", Unavailable, "<html>"),
        (
            503,
            '{"error": {"message": "Loading model", "code": 503}}',
            ModelLoading,
            "Loading model",
        ),
        (503, '{"error": {"message": "overloaded"}}', Overloaded, "overloaded"),
    ],
)
async def test_a_refusal_has_the_kind_that_fits(
    script, asking, refuses, status, body, kind, said
) -> None:
    script.completions = [refuses(status, body)]
    async with asking() as asker:
        with pytest.raises(kind, match=said) as caught:
            await asker.ask()
        assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("header", "seconds"), [("Retry-After: 7", 7), ("Retry-After: nan", 1), ("X: 1", 1),
                            ("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", 1)]
)  # fmt: skip
async def test_when_to_come_back_is_passed_on(script, asking, refuses, header, seconds) -> None:
    script.completions = [refuses(429, "", header)]
    async with asking() as asker:
        with pytest.raises(Overloaded) as caught:
            await asker.ask()
        assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("form", ["data: ", "error: "])
async def test_an_error_within_a_stream_has_its_kind(script, asking, says, chunk, form) -> None:
    inner = '{"code": 429, "message": "slow down"}'
    event = f'data: {{"error": {inner}}}' if form == "data: " else f"error: {inner}"
    script.completions = [says(chunk("a"), event, DONE)]
    async with asking() as asker:
        with pytest.raises(Overloaded, match="slow down"):
            await asker.ask()


async def test_another_model_in_the_answer_is_told(script, asking, says, chunk) -> None:
    script.completions = [says(chunk("a", model="other"), chunk("b", '"stop"'))]
    async with asking() as asker:
        with pytest.raises(WrongModel, match="'other'"):
            await asker.ask()
    script.completions = [says(chunk("a", model="m-2026-08-01"), chunk("b", '"stop"'))]
    async with asking() as asker:  # services name a dated version of what was asked for
        assert await asker.ask() == "ab"


async def test_a_server_without_log_probabilities_answers_without_confidence(
    script, asking, says, chunk
) -> None:
    script.completions = [says(chunk("a", '"stop"'), DONE)]
    async with asking() as asker:
        assert await asker.ask() == "a"
        assert [delta.tokens for delta in asker.progress[0].deltas] == [()]
        with pytest.raises(UnusableReply, match="`logprobs: false`"):
            await asker.ask(top_logprobs=2)


async def test_the_older_form_of_log_probabilities_is_read(script, asking, says) -> None:
    logprobs = '{"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"b": -2, "a": -0.5}]}'
    event = (
        f'data: {{"choices": [{{"text": "a", "logprobs": {logprobs}, "finish_reason": "stop"}}]}}'
    )
    script.completions = [says(event, DONE)]
    async with asking() as asker:
        await asker.ask(top_logprobs=2)
        token = asker.progress[0].deltas[0].tokens[0]
        assert (token.text, token.logprob) == ("a", -0.5)
        assert [(other.text, other.logprob) for other in token.top] == [("a", -0.5), ("b", -2.0)]


async def test_thoughts_keep_their_marks(script, asking, says, chunk) -> None:
    thought = 'data: {"choices": [{"delta": {"reasoning_content": "hm"}}]}'
    script.completions = [says(thought, thought, chunk("a"), chunk("b", '"stop"'), DONE)]
    async with asking() as asker:
        assert await asker.ask() == "<think>hmhm</think>ab"
    script.completions = [says(thought, chunk("", '"length"'), DONE)]
    async with asking() as asker:
        assert await asker.ask() == "<think>hm</think>"


async def test_a_model_that_is_loading_is_waited_for(script, asking, refuses, says, chunk) -> None:
    script.completions = [says(chunk("a", '"stop"'))]
    well, script.health = script.health, refuses(503, '{"error": {"message": "Loading model"}}')

    async def load() -> None:
        await asyncio.sleep(0.2)
        script.health = well

    async with asyncio.TaskGroup() as group:
        group.create_task(load())
        async with asking(dialect="vllm") as asker:  # settled only when it is ready
            assert asker.model.state is State.READY
            assert await asker.ask() == "a"


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ('{"data": []}', "has no model yet"),
        ('{"data": [{"id": "a"}, {"id": "b"}]}', "Known: a, b"),
        ('{"data": [{"id": "m"}]}', "`context_tokens`"),
        ('{"data": 3}', "did not answer as expected"),
        ("<html>", "did not answer as expected"),
    ],
)
async def test_what_hinders_the_model_is_its_problem(script, asking, refuses, models, said) -> None:
    script.models = refuses(200, models)
    async with asyncio.timeout(5):
        if "no model yet" in said:
            with pytest.raises(TimeoutError):  # it may come yet: the model counts as loading
                async with asyncio.timeout(0.3), asking():
                    pass
            return
        async with asking() as asker:
            assert asker.model.state is State.FAILED
            assert said in asker.model.problem


async def test_pieces_are_observed_as_steps(script, asking, says, chunk) -> None:
    usage = 'data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}'
    script.completions = [says(chunk("a"), chunk("b", '"stop"'), usage, DONE)]
    async with asking() as asker:
        await asker.ask()
        before, after = asker.observed[0][0], asker.observed[-1][1]
        assert after.decode_steps - before.decode_steps == 2
        assert after.generated_tokens - before.generated_tokens == 2
        assert after.prefilled_tokens - before.prefilled_tokens == 9
