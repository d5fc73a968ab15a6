"""Memory of the node process beside its engine, and of its engine beside llama-server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from services.bench import figures
from services.bench.node.calls import llama_server, our_node
from services.bench.node.load import burst
from services.bench.node.prompts import Prompts
from services.bench.node.servers import Layout

if TYPE_CHECKING:
    from services.bench.node.bench import Bench

MODEL: Final = "135m"
NODE_MEGABYTES: Final = 60.0
"""What the node process may hold over its engines."""
GOAL: Final = "<= 1.00"
CLIENTS: Final = 16
LAYOUT: Final = Layout(16, unified=True)
POOL_TOKENS: Final = 8192
"""Key-value cells of both: what a node gives a model by default."""
OWN_PAGES: Final = ("Anonymous:", "Swap:")
"""Lines of the kernel's sum over all mappings of a process, in kB."""


def megabytes(process: psutil.Process) -> float:
    """Give the proportional set size of a process, without its children."""
    return float(process.memory_full_info().pss) / 1e6


def own_megabytes(process: psutil.Process) -> float:
    """Give what a process holds for itself alone: anonymous pages, in memory or swapped out.

    Pages of programs and libraries do not count. They are fixed, and a process's proportional share
    of them grows when another process that maps them ends (measured: by 8 MB of 44).
    """
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
    lines = [line.split() for line in text.splitlines()]
    return sum(int(line[1]) for line in lines if line[0] in OWN_PAGES) * 1024 / 1e6


async def measure(bench: Bench) -> Sequence[figures.Figure]:
    """Load both servers with the same requests, then look."""
    path = bench.model(MODEL)
    prompts = Prompts(path)
    slot_tokens = POOL_TOKENS // LAYOUT.slots
    async with our_node(bench.place, {MODEL: path}, context_tokens=slot_tokens) as node:
        with llama_server(bench, path, LAYOUT, slot_tokens=slot_tokens) as theirs:
            for ask in (node.of(MODEL), theirs.ask):
                await burst(ask, prompts.draw_several(CLIENTS * 2), CLIENTS)
            process = psutil.Process(node.process.pid)
            engine = sum(megabytes(child) for child in process.children())
            own, peer = megabytes(process), megabytes(psutil.Process(theirs.process.pid))
    return [
        figures.compare(
            "memory of the node process", "MB", [own], "allowed", [NODE_MEGABYTES], GOAL
        ),
        figures.compare("memory of its engine", "MB", [engine], f"llama-server {LAYOUT}", [peer]),
    ]
