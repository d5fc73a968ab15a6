"""What follows from a look at a server."""

from __future__ import annotations

import pytest

from quorate.errors import (
    ConfigurationError,
    ModelLoading,
    Overloaded,
    PeerUnreachable,
    QuorateError,
    UnknownModel,
)
from services.node.backends.standing import LOST_SECONDS, Standing
from services.node.replica import State

READY = Standing(State.READY)
GONE = PeerUnreachable("gone")


@pytest.mark.parametrize(
    ("before", "error", "state"),
    [
        (Standing(), None, State.READY),
        (Standing(), GONE, State.FAILED),
        (Standing(), ModelLoading("soon"), State.LOADING),
        (READY, GONE, State.RESTARTING),
        (READY, ModelLoading("soon"), State.LOADING),
        (READY, ConfigurationError("key"), State.FAILED),
        (READY, UnknownModel("m"), State.FAILED),
        (READY, Overloaded("full"), State.READY),
        (Standing(State.FAILED, GONE), None, State.READY),
        (Standing(State.FAILED, GONE), GONE, State.FAILED),
    ],
)
def test_a_look_decides_the_state(
    before: Standing, error: QuorateError | None, state: State
) -> None:
    assert before.after(error, 0.0).state is state


def test_a_server_that_stays_away_has_failed_in_the_end() -> None:
    gone = READY.after(GONE, 100.0)
    still = gone.after(GONE, 100.0 + LOST_SECONDS - 1)
    lost = still.after(GONE, 100.0 + LOST_SECONDS)
    assert [gone.state, still.state, lost.state] == [State.RESTARTING] * 2 + [State.FAILED]
    assert lost.after(None, 200.0) == READY
