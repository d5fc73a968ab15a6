"""Circuits: what opens one, what does not, and how it is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import (
    Cancelled,
    ContextOverflow,
    DeadlineExceeded,
    Draining,
    InternalError,
    InvalidRequest,
    ModelCrashed,
    ModelLoading,
    ModelUnusable,
    OutOfMemory,
    Overloaded,
    PeerUnreachable,
    QuorateError,
    UnknownModel,
    WrongModel,
)
from services.coordinator.breaker import (
    FAILURES,
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Breakers,
    Circuit,
    Place,
    State,
    is_failure,
)

HERE, THERE = Place("n1", "atlas"), Place("n2", "atlas")


def opened(breakers: Breakers, now: float = 0.0) -> None:
    for _ in range(FAILURES):
        breakers.failed(HERE, now)


def test_a_place_that_never_failed_is_closed() -> None:
    breakers = Breakers()
    assert breakers.allows(HERE, 0.0)
    assert breakers.circuits(0.0) == []


def test_failures_in_a_row_open_the_circuit_of_that_place_alone() -> None:
    breakers = Breakers()
    for _ in range(FAILURES - 1):
        breakers.failed(HERE, 0.0)
    assert breakers.state(HERE, 0.0) is State.CLOSED
    breakers.failed(HERE, 0.0)
    assert breakers.state(HERE, 0.0) is State.OPEN
    assert not breakers.allows(HERE, 0.5)
    assert breakers.allows(THERE, 0.5)
    assert breakers.circuits(0.25) == [Circuit(HERE, State.OPEN, FIRST_PAUSE_SECONDS - 0.25)]


def test_a_success_in_between_starts_the_count_anew() -> None:
    breakers = Breakers()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breakers.failed(HERE, 0.0)
        breakers.succeeded(HERE)
    assert breakers.state(HERE, 0.0) is State.CLOSED


def test_after_the_pause_one_probe_goes_through_and_its_success_closes() -> None:
    told: list[tuple[Place, State]] = []
    breakers = Breakers(lambda place, state: told.append((place, state)))
    opened(breakers)
    assert breakers.state(HERE, FIRST_PAUSE_SECONDS) is State.HALF_OPEN
    assert breakers.allows(HERE, FIRST_PAUSE_SECONDS)
    assert breakers.enter(HERE, FIRST_PAUSE_SECONDS)
    assert not breakers.allows(HERE, FIRST_PAUSE_SECONDS)
    assert not breakers.enter(HERE, FIRST_PAUSE_SECONDS)
    breakers.succeeded(HERE)
    assert breakers.allows(HERE, FIRST_PAUSE_SECONDS)
    assert told == [(HERE, State.OPEN), (HERE, State.HALF_OPEN), (HERE, State.CLOSED)]


def test_each_failed_probe_doubles_the_pause_up_to_the_longest() -> None:
    breakers, now, pauses = Breakers(), 0.0, []
    opened(breakers)
    for _ in range(8):
        pause = breakers.circuits(now)[0].seconds
        pauses.append(pause)
        now += pause
        assert breakers.enter(HERE, now)
        breakers.failed(HERE, now)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_a_probe_that_tells_nothing_makes_way_for_another() -> None:
    breakers = Breakers()
    opened(breakers)
    breakers.enter(HERE, 2.0)
    breakers.left(HERE)
    assert breakers.allows(HERE, 2.0)
    assert breakers.state(HERE, 2.0) is State.HALF_OPEN
    breakers.left(THERE)  # never called: nothing to do


def test_calls_that_were_in_flight_when_it_opened_do_not_open_it_again() -> None:
    breakers = Breakers()
    opened(breakers, now=0.0)
    breakers.failed(HERE, 0.9)
    assert breakers.circuits(0.9)[0].seconds == pytest.approx(0.1)


def test_a_node_that_is_gone_is_forgotten() -> None:
    breakers = Breakers()
    opened(breakers)
    breakers.failed(THERE, 0.0)
    breakers.forget("n1")
    assert breakers.circuits(0.0) == []
    assert breakers.allows(HERE, 0.0)


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (ModelCrashed("x"), True),
        (PeerUnreachable("x"), True),
        (InternalError("x"), True),
        (ModelUnusable("x"), True),
        (WrongModel("x"), True),
        (Overloaded("x"), False),
        (OutOfMemory("x"), False),
        (ModelLoading("x"), False),
        (Draining("x"), False),
        (InvalidRequest("x"), False),
        (ContextOverflow("x"), False),
        (UnknownModel("x"), False),
        (Cancelled("x"), False),
        (DeadlineExceeded("x"), False),
    ],
    ids=lambda case: getattr(case, "kind", str(case)),
)
def test_only_what_the_place_is_to_blame_for_counts(error: QuorateError, counts: bool) -> None:
    assert is_failure(error) is counts


@given(st.lists(st.sampled_from(["fail", "succeed", "leave", "enter", "wait"]), max_size=60))
def test_whatever_happens_a_call_is_let_through_again_within_the_longest_pause(
    events: list[str],
) -> None:
    breakers, now = Breakers(), 0.0
    for event in events:
        if event == "fail":
            breakers.failed(HERE, now)
        elif event == "succeed":
            breakers.succeeded(HERE)
        elif event == "leave":
            breakers.left(HERE)
        elif event == "enter":
            breakers.enter(HERE, now)
        else:
            now += 0.7
    breakers.left(HERE)
    assert breakers.allows(HERE, now + LONGEST_PAUSE_SECONDS)
