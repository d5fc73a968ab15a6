"""How a command that measures ends: its figures are published, or it says why there are none."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from services.bench import figures
from services.bench.node.cores import ServerFailed
from services.bench.node.peers import PeerMissing

if TYPE_CHECKING:
    from rich.console import Console

    from services.bench.node.cores import Cores

STOPPED: Final = 130
"""Exit status of a command that Ctrl-C ended."""


def conclude(
    name: str,
    measure: Callable[[], Sequence[figures.Figure]],
    folder: Path,
    cores: Cores,
    console: Console,
) -> int:
    """Measure, and write `name`.json; gives the exit status, 0 whatever the figures say."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what runs is ended, as by Ctrl-C
    try:
        made = measure()
    except KeyboardInterrupt:
        console.print("Stopped; nothing was written.")
        return STOPPED
    except (PeerMissing, ServerFailed) as error:
        console.print(str(error), markup=False, highlight=False)
        return 1
    path = figures.publish(name, made, folder, setup=cores.describe())
    console.print(f"Written to {path}")
    return 0
