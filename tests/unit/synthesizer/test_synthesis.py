"""The story of a merge: what is shown, withdrawn, passed over and counted, in that order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import pytest

from quorate.errors import ModelCrashed, Overloaded, QuorateError, Unavailable, UnusableReply
from quorate.merging import Part
from services.synthesizer.draft import LONGEST_TEXT
from services.synthesizer.judge import Judgement
from services.synthesizer.synthesis import (
    Event,
    Merged,
    Method,
    Model,
    Restart,
    Text,
    Tokens,
    Write,
    judged,
    synthesize,
)

pytestmark = pytest.mark.anyio

SUM = Part("t1", "What is 47 + 38?", "85")
CAPITAL = Part("t2", "What is the capital of France?", "Paris")
FAILED = Part("t3", "Why?", "nobody answered", failed=True)
LISTED = "1. What is 47 + 38? 85\n2. What is the capital of France? Paris"
FIRST, SECOND = Model("host:1", "n1", "scribe"), Model("host:2", "n2", "atlas")


@dataclass
class Script:
    """What a model says, after which an error may come."""

    said: Sequence[str]
    error: QuorateError | None = None
    cut_short: str = ""
    tokens: Tokens = field(default_factory=lambda: Tokens(10, 5, 1))
    closed: bool = False
    prompt: str = ""

    async def pieces(self, prompt: str) -> AsyncGenerator[str, None]:
        self.prompt = prompt
        try:
            for piece in self.said:
                yield piece
            if self.error:
                raise self.error
        finally:
            self.closed = True


def scripted(**scripts: Script) -> Write:
    return lambda model: scripts[model.name]


async def events(parts: Sequence[Part], models: Sequence[Model], write: Write) -> list[Event]:
    return [event async for event in synthesize("Both?", parts, models, write)]


async def test_one_part_is_its_answer_and_no_model_is_asked() -> None:
    told = await events([SUM], [FIRST], scripted())
    assert told == [Text("85"), Merged("85", Method.SINGLE)]


async def test_a_models_text_is_shown_as_it_is_written() -> None:
    script = Script([" It is ", "85. ", "Par", "is.", "\n"])
    told = await events([SUM, CAPITAL], [FIRST, SECOND], scripted(scribe=script))
    assert [event.text for event in told if isinstance(event, Text)] == [
        "It is", " 85.", " Par", "is.",
    ]  # fmt: skip
    assert told[-1] == Merged("It is 85. Paris.", Method.MODEL, FIRST, (), Tokens(10, 5, 1))
    assert "What is 47 + 38? -> 85" in script.prompt
    assert script.closed


async def test_a_text_that_leaves_a_part_out_is_withdrawn_and_the_next_model_tries() -> None:
    write = scripted(scribe=Script(["It is 85."]), atlas=Script(["85, Paris"]))
    told = await events([SUM, CAPITAL], [FIRST, SECOND], write)
    assert told[:2] == [Text("It is 85."), Restart("scribe on n1: part t2 was left out")]
    merged = told[-1]
    assert isinstance(merged, Merged)
    assert (merged.text, merged.method, merged.model) == ("85, Paris", Method.MODEL, SECOND)
    assert [(type(error), error.message) for error in merged.passed_over] == [
        (UnusableReply, "scribe on n1: part t2 was left out")
    ]
    assert merged.tokens == Tokens(20, 10, 2)


async def test_when_all_models_fail_the_plain_list_answers() -> None:
    write = scripted(
        scribe=Script(["It is"], ModelCrashed("the engine died")),
        atlas=Script([], Overloaded("full", retry_after_seconds=2.0, metadata={"queue": "64"})),
    )
    told = await events([SUM, CAPITAL], [FIRST, SECOND], write)
    assert told[:3] == [
        Text("It is"), Restart("scribe on n1: the engine died"), Text(LISTED),
    ]  # fmt: skip
    merged = told[3]
    assert isinstance(merged, Merged)
    assert (merged.text, merged.method, merged.model) == (LISTED, Method.DETERMINISTIC, None)
    crashed, full = merged.passed_over
    assert isinstance(crashed, ModelCrashed)
    assert (full.message, full.retry_after_seconds, full.metadata) == (
        "atlas on n2: full", 2.0, {"queue": "64"},
    )  # fmt: skip


async def test_without_models_the_plain_list_answers() -> None:
    assert await events([SUM, CAPITAL], [], scripted()) == [
        Text(LISTED),
        Merged(LISTED, Method.DETERMINISTIC),
    ]


async def test_a_text_that_was_cut_off_is_withdrawn() -> None:
    script = Script(["85, Paris and"], cut_short="the text was cut off")
    told = await events([SUM, CAPITAL], [FIRST], scripted(scribe=script))
    assert Restart("scribe on n1: the text was cut off") in told


async def test_a_model_without_end_is_stopped() -> None:
    script = Script(["85 Paris "] * (LONGEST_TEXT // 8))
    told = await events([SUM, CAPITAL], [FIRST], scripted(scribe=script))
    assert isinstance(told[-1], Merged)
    assert told[-1].method is Method.DETERMINISTIC
    assert script.closed


async def test_failed_parts_are_named_behind_the_models_text() -> None:
    script = Script(["85, Paris"])
    told = await events([FAILED, SUM, CAPITAL], [FIRST], scripted(scribe=script))
    merged = told[-1]
    assert isinstance(merged, Merged)
    assert merged.text == "85, Paris\nWhy? no answer (nobody answered)."
    assert "".join(event.text for event in told if isinstance(event, Text)) == merged.text
    assert "Why?" not in script.prompt


async def test_one_answer_beside_failures_needs_no_model() -> None:
    told = await events([SUM, FAILED], [FIRST], scripted())
    assert isinstance(told[-1], Merged)
    assert told[-1].method is Method.DETERMINISTIC
    assert "no answer (nobody answered)" in told[-1].text
    assert (await events([FAILED], [FIRST], scripted()))[-1] == Merged(
        "Why? no answer (nobody answered).", Method.DETERMINISTIC
    )


async def test_leaving_early_closes_the_models_stream() -> None:
    script = Script(["85", ", Paris"])
    story = synthesize("Both?", [SUM, CAPITAL], [FIRST], scripted(scribe=script))
    assert await anext(story) == Text("85")
    assert not script.closed
    await story.aclose()
    assert script.closed


GOOD = '{"score": 0.5, "rationale": "half"}'


async def test_the_first_model_with_a_judgement_judges() -> None:
    write = scripted(scribe=Script(["no idea"]), atlas=Script([GOOD[:5], GOOD[5:]]))
    told = await judged("Q?", "ref", "ans", [FIRST, SECOND], write)
    assert (told.judgement, told.model) == (Judgement(0.5, "half"), SECOND)


async def test_an_empty_answer_is_judged_by_nobody() -> None:
    told = await judged("Q?", "ref", " \n", [FIRST], scripted())
    assert (told.judgement.score, told.model) == (0.0, None)


@pytest.mark.parametrize(
    ("error", "kind"), [(ModelCrashed("died"), Unavailable), (UnusableReply("odd"), UnusableReply)]
)
async def test_without_any_judgement_all_reasons_are_told(
    error: QuorateError, kind: type[QuorateError]
) -> None:
    write = scripted(scribe=Script([], error), atlas=Script(["what?"]))
    with pytest.raises(kind) as raised:
        await judged("Q?", "ref", "ans", [FIRST, SECOND], write)
    assert type(raised.value) is kind
    assert "scribe on n1: " in raised.value.message
    assert "atlas on n2: 'what?' is no judgement" in raised.value.message
