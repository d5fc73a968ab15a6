"""An engine that hangs is told from one that has a lot to do, waits for a core, or is idle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from services.node.health import SILENT_SECONDS, STOPPED_SECONDS, Pulse, Watch, read_pulse


def told(pulses: list[Pulse | None], *, awaited: bool = True) -> str:
    """Give the first complaint when these are seen a second apart."""
    watch = Watch(0.0)
    for second, pulse in enumerate(pulses):
        if problem := watch.look(pulse, float(second), awaited=awaited):
            return f"{second}: {problem}"
    return ""


def test_a_stopped_engine_is_told_after_a_few_seconds() -> None:
    assert told([Pulse("S", 5, 1), *[Pulse("T", 5, 1)] * 30]).startswith(f"{STOPPED_SECONDS:.0f}:")


def test_a_sleeping_engine_is_told_after_longer() -> None:
    assert told([Pulse("S", 5, 1)] * 40).startswith(f"{SILENT_SECONDS:.0f}:")


def test_an_idle_engine_may_sleep_for_ever() -> None:
    assert not told([Pulse("S", 5, 1)] * 100, awaited=False)


def test_a_long_step_a_full_machine_and_a_slow_disk_are_no_fault() -> None:
    assert not told([Pulse("S", second, 1) for second in range(100)])
    assert not told([Pulse("R", 5, 1)] * 100)
    assert not told([Pulse("D", 5, 1)] * 100)


def test_one_that_speaks_lives_and_one_that_is_gone_is_not_judged() -> None:
    assert not told([Pulse("S", 5, second) for second in range(100)])
    assert not told([None] * 100)


def test_the_pulse_of_a_real_process_is_read() -> None:
    source = "import time\nwhile time.process_time() < 0.3: pass\nprint(1, flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05)
        pulse = read_pulse(process.pid, 7)
        assert pulse is not None
        assert (pulse.state, pulse.said) == ("S", 7)
        assert pulse.done >= 25  # hundredths of a second
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.05)
        stopped = read_pulse(process.pid, 7)
        assert stopped is not None
        assert stopped.state == "T"
        process.kill()
    assert read_pulse(process.pid, 7) is None
    assert read_pulse(1, 0, Path("/nowhere")) is None
