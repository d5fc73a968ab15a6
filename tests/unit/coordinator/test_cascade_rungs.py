"""When a cascade stops: by calibrated confidence where there is any, else by agreement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorate.answers import Kind, extract
from services.coordinator.decompose.dag import Subtask
from services.coordinator.events import NOBODY, Listener
from services.coordinator.orchestrate.cascade import cascade, from_difficulty
from services.coordinator.orchestrate.floor import Floor
from services.coordinator.question import Ballot, Member, Message, Question, Seat, Status
from services.coordinator.tally import decide
from services.coordinator.work import Work

pytestmark = pytest.mark.anyio
PART = Subtask("t1", "What is 9 + 9?")
MESSAGES = (Message("user", PART.text),)


def floor(said: dict[str, tuple[str, float]], clock: list[float], **options: object) -> Floor:
    """Play models that say these things with these calibrated confidences (0: uncalibrated)."""
    members = tuple(Member(name, "atlas", "a:1") for name in sorted(said))

    async def dispatch(work: Work, listener: Listener) -> list[Ballot]:
        (member,) = work.members
        text, confidence = said[member.node]
        clock[0] += 1.0
        answer = extract(text, Kind.NUMBER)
        seat = Seat(member.node, member.model, 0)
        status = Status.ABSTAINED if answer is None else Status.VALID
        sure = confidence > 0.0
        return [Ballot("t1", seat, status, member.node, answer, text, confidence, calibrated=sure)]

    work = Work(
        "t1", MESSAGES, Kind.NUMBER, Question(MESSAGES, "majority").drawing, members, 1, 7,
        "majority", 3.5, True, "",
    )  # fmt: skip
    return Floor(
        question=replace(Question(MESSAGES, "majority", cascade=True), **options),  # type: ignore[arg-type]
        part=PART,
        work=work,
        listener=NOBODY,
        clock=lambda: clock[0],
        dispatch=dispatch,
        decide=lambda ballots: decide(PART, Kind.NUMBER, "majority", ballots),
        scorer=None,  # type: ignore[arg-type]
    )


async def test_the_first_that_is_sure_enough_answers_alone() -> None:
    said = {"n1": ("18", 0.97), "n2": ("21", 0.99)}
    made = await cascade(floor(said, [0.0]))
    assert (made.answer, made.stopped_by, len(made.ballots)) == ("18", "cascade", 1)
    assert "rung 1 of 2 answered: n1/atlas is right with 0.970, at least 0.95" in made.explanation


@pytest.mark.parametrize(("error_risk", "asked"), [(0.01, 2), (0.2, 1)])
async def test_the_accepted_risk_sets_the_threshold(error_risk: float, asked: int) -> None:
    said = {"n1": ("18", 0.9), "n2": ("18", 0.995)}
    made = await cascade(floor(said, [0.0], error_risk=error_risk))
    assert len(made.ballots) == asked
    assert made.answer == "18"


async def test_agreement_is_no_proof_where_confidences_are_calibrated() -> None:
    said = {"n1": ("18", 0.5), "n2": ("18", 0.5), "n3": ("18", 0.5)}
    made = await cascade(floor(said, [0.0]))
    assert (made.stopped_by, len(made.ballots)) == ("all", 3)


async def test_the_time_ends_a_cascade_with_the_vote_so_far_and_a_reason() -> None:
    said = {f"n{number}": (str(number), 0.0) for number in range(1, 7)}
    made = await cascade(floor(said, [0.0]))
    assert (made.stopped_by, len(made.ballots)) == ("deadline", 4)
    assert made.missing == "cascade: the time was over at rung 4 of 6; all asked so far vote"
    assert made.answer == "1"


async def test_models_that_say_nothing_leave_no_answer() -> None:
    made = await cascade(floor({"n1": ("", 0.0), "n2": ("", 0.0)}, [0.0]))
    assert made.error is not None
    assert made.stopped_by == "all"


def test_a_hard_part_begins_half_way_up_and_the_cheap_ones_come_last() -> None:
    rungs = [Member(f"n{number}", "m", "") for number in range(5)]
    assert from_difficulty(rungs, "easy") == from_difficulty(rungs, "") == rungs
    assert from_difficulty(rungs, "hard") == [*rungs[2:], *rungs[:2]]
    assert from_difficulty([], "hard") == []
