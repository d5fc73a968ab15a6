"""Debate: the same question again, with what the peers answered; peers may be wrong."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from quorate import prompts
from services.bench.suites.pocket import arithmetic, facts, yes_no

if TYPE_CHECKING:
    from services.bench.suites.pocket.item import Item

TASK = "debating"


def _wrong(random: Random, item: Item) -> str:
    if item.kind == "number":
        return f"Answer: {int(item.answer) + random.choice((-10, -1, 1, 2, 10))}"
    if item.kind == "boolean":
        return yes_no.answer_line(item.answer == "no")
    if item.kind == "choice":
        return random.choice([letter for letter in facts.LETTERS if letter != item.answer])
    return facts.draw_open(random).answer


def draw(random: Random) -> Item:
    """Draw a sum, fact or yes/no question with two or three peers' answers, some of them wrong."""
    item = random.choice(
        (arithmetic.draw_short, facts.draw_open, facts.draw_choice, yes_no.draw_short)
    )(random)
    peers = []
    for _ in range(random.choice((2, 2, 3))):
        right = random.random() < 0.6
        text = item.completion if random.random() < 0.3 else item.completion.split("\n")[-1]
        peers.append(text if right else _wrong(random, item))
    prompt = prompts.debate(item.prompt, peers)
    return item._replace(task=TASK, prompt=prompt)
