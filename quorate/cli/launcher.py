"""Runs a service so that it cannot outlive the process that started it.

    python -m quorate.cli.launcher PARENT_PID MODULE [ARGUMENT…]

Even SIGKILL of the parent ends the service: on Linux the kernel sends it SIGKILL
(prctl(2), PR_SET_PDEATHSIG), elsewhere a thread watches the parent. A program sets this for itself,
because doing it between fork and exec (`preexec_fn`) is not safe beside threads.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
import threading

SET_PARENT_DEATH_SIGNAL = 1
LOOK_SECONDS = 1.0


def main() -> None:
    """Tie this process to its parent and become the service."""
    parent, module, *arguments = sys.argv[1:]
    tie_to(int(parent))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def tie_to(parent: int) -> None:
    """End this process when its parent ends, or at once when it has ended already."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None, use_errno=True)
        if library.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl refused PR_SET_PDEATHSIG")
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), signal.SIGKILL)


def _watch(parent: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
