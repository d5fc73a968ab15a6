"""What a node may use for models at this moment, in the ledger's terms."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.node import hardware
from services.node.ledger import Amounts, Limits
from services.node.placement import Card


@dataclass(frozen=True)
class Room:
    """The limits of promises now, and the accelerators that llama.cpp can use."""

    limits: Limits
    cards: Sequence[Card] = ()


async def look(budget_bytes: int | None) -> Room:
    """Measure the machine; `budget_bytes` is the node's own limit."""
    return room(await asyncio.to_thread(hardware.measure), budget_bytes)


def room(machine: hardware.Hardware, budget_bytes: int | None) -> Room:
    """Tell what the machine has room for. Pure."""
    cards = machine.accelerators if hardware.engine_can_offload() else ()
    own = [card for card in cards if not card.unified]
    return Room(
        Limits(
            Amounts(machine.memory_bytes, sum(card.memory_bytes for card in own)),
            Amounts(
                machine.available_bytes, sum(card.memory_bytes - card.used_bytes for card in own)
            ),
            budget_bytes,
        ),
        [Card(card.memory_bytes - card.used_bytes, card.unified) for card in cards],
    )


async def held(pids: Sequence[int]) -> int:
    """Count the bytes that processes hold; those that are gone hold none."""
    return await asyncio.to_thread(lambda: sum(hardware.held_bytes(pid) for pid in pids if pid))
