"""Memory is promised once, across processes, and a dead process promises nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.node.ledger import Amounts, Ledger, Limits, Promises, Shortage, check
from services.node.locks import Turn

GIB = 2**30
ROOM = Amounts(8 * GIB, 8 * GIB)
WIDE = Limits(ROOM, ROOM)
HOLD = """
import sys, time
from pathlib import Path
from services.node.ledger import Amounts, Ledger, Limits
ledger = Ledger(Path(sys.argv[1]))
room = Amounts(2**40, 2**40)
ledger.reserve("theirs", Amounts(int(sys.argv[2])), Limits(room, room))
print("held", flush=True)
time.sleep(60)
"""


def hold(directory: Path, amount: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory), str(amount)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_what_is_promised_is_taken_from_the_budget_and_given_back(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    limits = Limits(ROOM, ROOM, budget_bytes=3 * GIB)
    ledger.reserve("a", Amounts(2 * GIB), limits)
    with pytest.raises(Shortage) as caught:
        ledger.reserve("b", Amounts(2 * GIB), limits)
    assert caught.value.missing == Amounts(GIB)
    message = caught.value.error.message
    assert "b needs 2048 MiB of memory, but 1024 of 3072 MiB are left" in message
    assert "Raise `memory`" in message
    assert caught.value.error.metadata["left_bytes"] == str(GIB)
    ledger.release("a")
    ledger.reserve("b", Amounts(2 * GIB), limits)
    assert ledger.mine == {"b": Amounts(2 * GIB)}
    ledger.close()


def test_what_other_nodes_promised_counts_until_they_die(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    with hold(tmp_path, 3 * GIB) as first, hold(tmp_path, 4 * GIB) as second:
        assert ledger.of_others().all == Amounts(7 * GIB)
        with pytest.raises(Shortage) as caught:
            ledger.reserve("mine", Amounts(2 * GIB), WIDE)
        assert "1024 of 8192 MiB are left of what models may use" in caught.value.error.message
        second.send_signal(signal.SIGKILL)
        second.wait()
        assert ledger.of_others().all == Amounts(3 * GIB)
        ledger.reserve("mine", Amounts(2 * GIB), WIDE)
        assert ledger.of_others().all == Amounts(3 * GIB)
        first.kill()
    ledger.close()


def test_a_promise_is_pending_until_it_is_held_and_grows_to_what_was_measured(
    tmp_path: Path,
) -> None:
    ledger, other = Ledger(tmp_path), Ledger(tmp_path)
    ledger.reserve("a", Amounts(GIB), WIDE)
    assert other.of_others() == Promises(Amounts(GIB), Amounts(GIB))
    ledger.keep("a", Amounts(2 * GIB))
    assert other.of_others() == Promises(Amounts(2 * GIB), Amounts())
    ledger.keep("a", Amounts(1))
    assert other.of_others() == ledger.promised == Promises(Amounts(2 * GIB), Amounts())
    ledger.release("a")
    ledger.release("a")
    ledger.keep("a", Amounts(GIB))
    assert other.of_others() == Promises()
    ledger.close()
    other.close()


def test_what_is_promised_but_not_held_yet_is_not_free() -> None:
    pending, held = Promises(Amounts(GIB), Amounts(GIB)), Promises(Amounts(GIB), Amounts())
    limits = Limits(ROOM, Amounts(2 * GIB))
    check("m", Amounts(2 * GIB), held, held, limits)
    check("m", Amounts(GIB), pending, held, limits)
    with pytest.raises(Shortage, match="0 of 2048 MiB are left of what is free"):
        check("m", Amounts(GIB), pending, pending, limits)


def test_a_shortage_names_what_is_short() -> None:
    with pytest.raises(Shortage, match="MiB of accelerator memory"):
        check("m", Amounts(1, 9 * GIB), Promises(), Promises(), WIDE)
    with pytest.raises(Shortage, match="free on this machine now"):
        check("m", Amounts(2 * GIB), Promises(), Promises(), Limits(ROOM, Amounts(GIB)))


@given(
    need=st.integers(0, 20), mine=st.integers(0, 20), others=st.integers(0, 20),
    budget=st.none() | st.integers(0, 20), machine=st.integers(0, 20), free=st.integers(0, 20),
)  # fmt: skip
def test_a_promise_breaks_no_limit(
    need: int, mine: int, others: int, budget: int | None, machine: int, free: int
) -> None:
    limits = Limits(Amounts(machine), Amounts(free), budget)
    ours, theirs = Promises(Amounts(mine)), Promises(Amounts(others))
    fits = (
        need <= free
        and mine + others + need <= machine
        and (budget is None or mine + need <= budget)
    )
    if fits:
        check("m", Amounts(need), ours, theirs, limits)
        return
    with pytest.raises(Shortage) as caught:
        check("m", Amounts(need), ours, theirs, limits)
    assert caught.value.missing


@pytest.mark.anyio
async def test_one_has_the_turn_at_a_time(tmp_path: Path) -> None:
    inside = most = 0

    async def work() -> None:
        nonlocal inside, most
        async with Turn(tmp_path / "turn").taken():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(work())
    assert (most, inside) == (1, 0)
