"""A question of two parts, its events and its answer, for the tests of what is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from quorate.client.plans import (
    Assignment,
    Estimate,
    MemoryUse,
    Move,
    Plan,
    Residency,
    Routing,
    Subtask,
)
from quorate.client.results import (
    Answer,
    Ballot,
    BallotStarted,
    BallotStatus,
    BallotToken,
    Event,
    Failure,
    Part,
    Provisional,
    Quorum,
    Standing,
    SynthesisText,
    Timings,
    Usage,
)

SUM = Subtask("t1", "What is 10% of 1000?", kind="number")
CAPITAL = Subtask("t2", "Which city is it?", depends_on=("t1",), kind="text")

RIGHT = Ballot(
    ballot_id="t1/n1/abacus/0",
    part_id="t1",
    node="n1",
    model="abacus",
    status=BallotStatus.VALID,
    answer="100",
    kind="number",
    rule="answer_line",
    text="10% of 1000 is 1000 / 10.\nAnswer: 100",
    confidence=0.91,
    weight=1.0,
    usage=Usage(12, 9, 0),
    timings=Timings(0.0, 0.02, 0.1234),
    seed=7,
)
SILENT = Ballot("t1/n2/forge/0", "t1", "n2", "forge", BallotStatus.ABSTAINED, text="hm")
BROKEN = Ballot(
    "t1/n3/compass/0",
    "t1",
    "n3",
    "compass",
    BallotStatus.FAILED,
    failure=Failure("MODEL_CRASHED", "the engine of compass died", retryable=True),
)
PARIS = Ballot(
    "t2/n1/atlas/0", "t2", "n1", "atlas", BallotStatus.VALID, answer="Paris", confidence=0.5
)
FIRST = Part(
    SUM,
    "100",
    kind="number",
    text=RIGHT.text,
    confidence=0.91,
    agreement=1 / 3,
    quorum=Quorum(3, 1),
    standings=(Standing("100", 1, 1.0),),
    ballots=(RIGHT, SILENT, BROKEN),
    tie_break="lowest member wins the tie",
    explanation="100 has the most votes",
)
SECOND = Part(
    CAPITAL,
    "Paris",
    confidence=0.5,
    agreement=1.0,
    quorum=Quorum(1, 1),
    standings=(Standing("Paris", 1, 1.0),),
    ballots=(PARIS,),
)
ANSWER = Answer(
    question_id="q1",
    answer="100, and Paris",
    strategy="majority",
    confidence=0.5,
    agreement=1 / 3,
    quorum=Quorum(4, 2),
    parts=(FIRST, SECOND),
    synthesis="deterministic",
    usage=Usage(20, 31, 0),
    timings=Timings(0.0, 0.05, 1.24),
    seed=7,
)
PLAN = Plan("q1", (SUM, CAPITAL), (Assignment("t1", "n1", "abacus", 0.9),), "two questions")

EVENTS: tuple[Event, ...] = (
    PLAN,
    BallotStarted("t1/n1/abacus/0", "t1", "n1", "abacus"),
    BallotStarted("t1/n2/forge/0", "t1", "n2", "forge"),
    BallotToken("t1/n1/abacus/0", "10% of 1000 is"),
    BallotToken("t1/n2/forge/0", "hm"),
    BallotToken("t1/n1/abacus/0", " 1000 / 10.\nAnswer"),
    BallotToken("t1/n1/abacus/0", ": 100"),
    RIGHT,
    Provisional("t1", "100", (Standing("100", 1, 1.0),), 2),
    SILENT,
    BROKEN,
    FIRST,
    BallotStarted("t2/n1/atlas/0", "t2", "n1", "atlas"),
    PARIS,
    SECOND,
    SynthesisText("100, "),
    SynthesisText("100, and Paris", restart=True),
    ANSWER,
)


@pytest.fixture
def events() -> tuple[Event, ...]:
    return EVENTS


@pytest.fixture
def answer() -> Answer:
    return ANSWER


@pytest.fixture
def plan() -> Plan:
    return PLAN


@pytest.fixture
def ballot() -> Ballot:
    return RIGHT


MODELS = ("abacus", "atlas", "scribe", "forge", "compass", "marshal")


def planned(parts: int, models: int, parents: Mapping[int, Sequence[int]]) -> Plan:
    """Make a plan of parts t1, t2, …: each is given to its best model, and the first to two."""
    members = [
        (f"n{1 + place % 3}", MODELS[place] if place < len(MODELS) else f"model-{place}")
        for place in range(models)
    ]
    ids = [f"t{number}" for number in range(1, parts + 1)]
    estimates = [
        Estimate(
            part, node, model, reliability=0.9 - (row + column) % models * 0.05,
            items=12.0 * (column % 2), token_cost=0.5, switch_cost=0.6 * (column % 2),
            utility=0.65 - (row + column) % models * 0.05, seconds=0.25,
        )
        for row, part in enumerate(ids)
        for column, (node, model) in enumerate(members)
    ]  # fmt: skip
    chosen = [one for one in estimates if one.utility >= 0.65]
    chosen[1:1] = [one for one in estimates if one.subtask_id == "t1" and one.utility == 0.6]
    assignments = tuple(
        Assignment(one.subtask_id, one.node, one.model, one.reliability, one.switch_cost > 0)
        for one in chosen
    )
    routing = Routing(
        "mip", "HIGHS", "optimal", objective=1.25, bound=1.25, gap=0.0, solve_seconds=0.004,
        lambda_token=0.5, lambda_switch=0.2, estimates=tuple(estimates),
        memory=(MemoryUse("n1", 8 * 2**30, 2 * 2**30), MemoryUse("gpu0", 2**30, 0)),
        residency=(
            Residency(Move.LOAD, "n2", "atlas", 3 * 2**20, 1.2, ahead=True),
            Residency(Move.UNLOAD, "n3", "scribe"),
        ),
    )  # fmt: skip
    subtasks = tuple(
        Subtask(
            f"t{number}", f"What is {number} + {number}?",
            tuple(f"t{parent}" for parent in parents.get(number, ())),
            task_type="math", estimated_tokens=64, difficulty="easy",
        )
        for number in range(1, parts + 1)
    )  # fmt: skip
    return Plan("q1", subtasks, assignments, "they can stand alone", routing, "rules")


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """Give a maker of plans: `make_plan(3, 6, {3: [1, 2]})` has a third part that needs both."""
    return lambda parts=3, models=6, parents=None: planned(parts, models, parents or {})
