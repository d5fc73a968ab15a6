"""Merging: one answer that holds every part's answer, in order."""

from __future__ import annotations

from random import Random

from quorate import prompts
from services.bench.suites.pocket import (
    arithmetic,
    extraction,
    facts,
    python_code,
    splitting,
    yes_no,
)
from services.bench.suites.pocket.item import Item

TASK = "merging"
SEPARATOR = " || "


def _statement(part: prompts.Part) -> str:
    """Say one part's answer: as a sentence where the question names the thing asked for."""
    question = part.question.rstrip("?")
    answer = part.answer.split("Answer: ")[-1]
    if "\n" in answer or answer[0] in "[{":
        return answer
    if question.startswith("What is ") and "called" not in question and answer[-1] != ".":
        asked = question.removeprefix("What is ")
        return f"{asked[0].upper()}{asked[1:]} is {answer}."
    if answer in ("yes", "no"):
        answer = answer.capitalize()
    return answer if answer[-1] == "." else f"{answer}."


def merged(parts: list[prompts.Part]) -> str:
    """Join the parts' statements: sentences on one line, code and JSON on lines of their own."""
    statements = [_statement(part) for part in parts]
    own_line = any("\n" in text or text[0] in "[{" for text in statements)
    return ("\n" if own_line else " ").join(statements)


def _part(random: Random) -> tuple[prompts.Part, str]:
    draws = (
        arithmetic.draw_short,
        arithmetic.draw_short,
        facts.draw_open,
        facts.draw_open,
        python_code.draw_short,
        yes_no.draw_short,
        extraction.draw_short,
    )
    while True:
        item = random.choice(draws)(random)
        if len(item.prompt) > 90 or "\n" in item.prompt:
            continue
        short = item.kind in ("number", "boolean") and random.random() < 0.75
        answer = item.answer if short else item.completion
        return prompts.Part(splitting._clean(item.prompt), answer), item.key


def draw(random: Random) -> Item:
    """Draw two to four answered parts and their merged answer."""
    drawn = [_part(random) for _ in range(random.choices((2, 3, 4), (6, 2, 1))[0])]
    parts = [part for part, _ in drawn]
    joined = random.choice((" and ", ". Also, ", " Then ", "; "))
    question = joined.join(part.question for part in parts)
    key = " | ".join(key for _, key in drawn)
    gold = SEPARATOR.join(part.answer.split("Answer: ")[-1] for part in parts)
    return Item(TASK, prompts.merge(question, parts), merged(parts), gold, "text", key)
