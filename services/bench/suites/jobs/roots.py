"""Steps that stand alone, in the words that the pocket models practise."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from services.bench.suites.jobs.draft import Root
from services.bench.suites.pocket import arithmetic, extraction, facts, python_code, yes_no
from services.bench.suites.pocket.item import Item

_Series = Callable[[Random, int], tuple[str, dict[str, int]]]


def _series(plural: str, write: _Series, counts: tuple[int, ...]) -> Callable[[Random], Item]:
    def draw(random: Random) -> Item:
        text, values = write(random, random.choice(counts))
        numbers = list(values.values())
        how, gold = random.choice((("a JSON list", numbers), ("JSON", {plural: numbers})))
        prompt = f"Extract the {plural} as {how} from: {text}"
        return Item(extraction.TASK, prompt, "", json.dumps(gold), "json", f"{plural} {values}")

    return draw


def _record(draw: Callable[[Random], Item], *fields: str) -> Callable[[Random], Item]:
    """Draw an extraction of one JSON object that holds these fields."""

    def record(random: Random) -> Item:
        while True:
            item = draw(random)
            if all(f'"{field}": ' in item.answer for field in fields):
                return item

    return record


def _shape(name: str) -> Callable[[Random], Item]:
    def draw(random: Random) -> Item:
        return arithmetic.draw_shape(random, name)

    return draw


def _fact(random: Random) -> Item:
    return facts.draw_open(random, varied=False)


def _country(random: Random) -> Item:
    """Draw a question that a country answers."""
    while True:
        item = _fact(random)
        if item.fact.startswith("country/"):
            return item


_FEW = (2, 3, 3, 4)
AGES = Root("extraction", _series("ages", extraction.ages_text, _FEW))
PRICES = Root("extraction", _series("prices", extraction.prices_text, _FEW))
TWO_AGES = Root("extraction", _series("ages", extraction.ages_text, (2,)))
TWO_PRICES = Root("extraction", _series("prices", extraction.prices_text, (2,)))
PERSON = Root("extraction", _record(extraction.draw_short, "name", "age"))
EVENT = Root("extraction", _record(extraction.draw_short, "day", "time"))
ORDER = Root("extraction", _record(extraction.draw, "quantity", "price"))
SUM = Root("arithmetic", arithmetic.draw_short)
PERCENT = Root("arithmetic", _shape("percentage"))
LIST_TOTAL = Root("arithmetic", _shape("list_total"))
STORY = Root("story", _shape("story"))
FACT = Root("facts", _fact)
COUNTRY = Root("facts", _country)
COMPARISON = Root("yes_no", yes_no.draw_short)
FUNCTION = Root("python", python_code.draw_short)
