"""Models speak beside one another; one that fails is heard as that, and leaves the others alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from quorate.answers import Kind
from quorate.errors import DeadlineExceeded, ModelCrashed, ModelLoading, Overloaded
from services.node.engine.messages import Delta, Finished, FinishReason, Progress, TokenChoice
from services.node.pair import deliberate
from services.node.requests import Draft, ModelFacts, check_generate
from services.node.seats import Seat
from services.node.verdict import Asked, Ballot, Status, Verdict

pytestmark = pytest.mark.anyio
ABOUT = Asked("What is 9 + 9?", Kind.NUMBER)


def seat(model: str) -> Seat:
    facts = ModelFacts(model, "ab" * 32, 2048, 1536, 72)
    return Seat(model, facts.sha256, check_generate(Draft(model, prompt="x"), facts, lambda: 7))


def says(text: str, reason: FinishReason = FinishReason.STOP) -> list[Progress]:
    tokens = (TokenChoice(1, text, -0.5),)
    ended = Finished(0, reason, 4, 1, 0, 0.0, 0.1, 0.2, -0.5, 0.0)
    return [Progress(1, 4), Progress(1, 0, (Delta(0, text, tokens),)), Progress(1, 0, (), (ended,))]


class Hall:
    """Has models say what a test wrote for them, in step with one another."""

    def __init__(self, script: Mapping[str, list[Progress | Exception]]) -> None:
        self.script = script
        self.ballots: list[Ballot] = []
        self.speaking: set[str] = set()
        self.most_at_once = 0
        self.time = 0.0

    async def speak(self, seat: Seat, order: object, note) -> None:
        self.speaking.add(seat.model)
        try:
            for step in self.script[seat.model]:
                await asyncio.sleep(0)
                self.most_at_once = max(self.most_at_once, len(self.speaking))
                if isinstance(step, Exception):
                    raise step
                note(step)
        finally:
            self.speaking.discard(seat.model)

    async def receive(self, ballot: Ballot) -> None:
        self.ballots.append(ballot)

    def clock(self) -> float:
        self.time += 1.0
        return self.time

    async def run(self, *seats: Seat) -> Verdict:
        return await deliberate(seats, ABOUT, self.speak, self.receive, None, self.clock)


async def test_all_speak_at_once_and_each_ballot_comes_when_its_model_ends() -> None:
    slow: list[Progress | Exception] = [*says("The answer is 18"), *says(".")]
    hall = Hall({"a": slow, "b": [*says("18.0")]})
    verdict = await hall.run(seat("a"), seat("b"))
    assert hall.most_at_once == 2
    assert [ballot.voice.model for ballot in hall.ballots] == ["b", "a"]
    assert [ballot.voice.model for ballot in verdict.ballots] == ["a", "b"]
    assert verdict.agreed
    voice = verdict.ballots[1].voice
    assert (voice.text, voice.tokens, voice.prompt_tokens, voice.seed) == ("18.0", 1, 4, 7)
    assert voice.finished is not None


async def test_a_model_that_fails_midway_keeps_its_text_and_the_other_is_heard() -> None:
    hall = Hall({"a": [*says("The answer")[:2], ModelCrashed("it died")], "b": [*says("18")]})
    verdict = await hall.run(seat("a"), seat("b"))
    lost, heard = verdict.ballots
    assert (lost.status, lost.voice.text, lost.voice.tokens) == (Status.FAILED, "The answer", 1)
    assert lost.voice.seconds > 0
    assert (heard.status, verdict.agreed, verdict.answer) == (Status.VALID, False, None)


async def test_a_seat_without_an_order_fails_with_its_reason() -> None:
    hall = Hall({"b": [*says("18")]})
    verdict = await hall.run(Seat("a", error=ModelLoading("loading")), seat("b"))
    assert verdict.ballots[0].status is Status.FAILED
    assert hall.ballots[0].voice.error is verdict.ballots[0].voice.error


async def test_when_all_fail_the_first_error_is_raised_after_the_ballots() -> None:
    hall = Hall({"a": [*says("x")[:2], ModelCrashed("late")], "b": [Overloaded("first")]})
    with pytest.raises(Overloaded, match="first"):
        await hall.run(seat("a"), seat("b"))
    assert [ballot.voice.model for ballot in hall.ballots] == ["b", "a"]


async def test_a_sample_that_the_engine_gave_up_ran_out_of_time() -> None:
    gave_up = says("The ans", FinishReason.CANCELLED)
    hall = Hall({"a": [*gave_up], "b": [*says("18")]})
    verdict = await hall.run(seat("a"), seat("b"))
    assert verdict.ballots[0].status is Status.TIMED_OUT
    assert isinstance(verdict.ballots[0].voice.error, DeadlineExceeded)


async def test_an_engine_that_ends_without_saying_how_is_no_answer() -> None:
    hall = Hall({"a": [*says("18")[:2]], "b": [*says("18")]})
    verdict = await hall.run(seat("a"), seat("b"))
    assert verdict.ballots[0].status is Status.FAILED
    assert not verdict.agreed


async def test_cancelling_ends_both_generations() -> None:
    never = asyncio.Event()
    hall = Hall({})
    cancelled: list[str] = []

    async def speak(seat: Seat, order: object, note: object) -> None:
        try:
            await never.wait()
        except asyncio.CancelledError:
            cancelled.append(seat.model)
            raise

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await deliberate([seat("a"), seat("b")], ABOUT, speak, hall.receive, None, hall.clock)
    assert sorted(cancelled) == ["a", "b"]
    assert hall.ballots == []


async def test_a_model_that_hangs_is_given_up_at_the_deadline_and_the_other_is_heard() -> None:
    hall = Hall({"b": [*says("18")]})

    async def speak(seat: Seat, order: object, note) -> None:
        if seat.model == "a":
            note(says("1")[1])
            await asyncio.Event().wait()
        await hall.speak(seat, order, note)

    deadline = asyncio.get_running_loop().time() + 0.05
    seats = [seat("a"), seat("b")]
    verdict = await deliberate(seats, ABOUT, speak, hall.receive, deadline, hall.clock)
    late, heard = verdict.ballots
    assert (late.status, late.voice.text) == (Status.TIMED_OUT, "1")
    assert (heard.status, verdict.agreed) == (Status.VALID, False)
