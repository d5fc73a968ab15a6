"""Extraction: turn a sentence or two into JSON."""

from __future__ import annotations

import json
from random import Random
from typing import NamedTuple

from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.lexicon import (
    CITIES,
    DAYS,
    EVENTS,
    THINGS,
    everyday,
    people,
    person,
)

TASK = "extraction"


class Record(NamedTuple):
    """A text, the JSON value it holds, and how to ask for it."""

    text: str
    value: object
    request: str
    key: str


_ASK = (
    "Extract {w} as JSON from: {t}",
    "Extract {w} as JSON: {t}",
    "Extract {w} from this text as JSON: {t}",
    "Get {w} as JSON from: {t}",
    "Return {w} as JSON. Text: {t}",
    "Read {w} from the text as JSON: {t}",
    "Write {w} as JSON: {t}",
    "From the text, extract {w} as JSON.\nText: {t}",
    "{t}\nExtract {w} as JSON.",
    "Give me {w} as JSON from: {t}",
)
_ASK_LIST = (
    "Extract {w} as a JSON list from: {t}",
    "List {w} as a JSON array: {t}",
    "Extract {w} as a list: {t}",
    "Return {w} as a JSON list. Text: {t}",
    "{t}\nList {w} as a JSON list.",
    "Give {w} as a JSON array: {t}",
    "Get {w} as a JSON list from: {t}",
    "Find {w} in the text and reply with a JSON list: {t}",
)
_PERSON = (
    "{n}, aged {a}, lives in {c}.",
    "{n} from {c} is {a} years old.",
    "{n} is {a} and lives in {c}.",
    "My friend {n} ({a}) lives in {c}.",
    "In {c} I met {n}, who is {a}.",
    "{n} is a {a}-year-old from {c}.",
    "{n} lives in {c} and is {a} years old.",
    "At {a}, {n} moved to {c}.",
    "{a}-year-old {n} lives in {c}.",
)
_ORDER = (
    "{q} {i} at {p} dollars each.",
    "I want {q} {i} for {p} dollars each.",
    "{n} bought {q} {i} at ${p} each.",
    "Please send {q} {i}; the price is {p} dollars.",
    "Order: {q} {i}, {p} dollars apiece.",
    "We sold {q} {i} at a price of {p} dollars.",
    "{q} {i} cost {p} dollars each.",
    "{n} ordered {q} {i}, price {p}.",
)
_EVENT = (
    "The {e} is on {d} at {h}.",
    "{d} at {h}: {e}.",
    "Come to the {e} on {d}, {h}.",
    "On {d} we have a {e} at {h}.",
    "The {e} starts at {h} on {d}.",
    "Reminder: {e}, {d}, {h}.",
    "{e} on {d} at {h}.",
    "At {h} on {d} there is a {e}.",
)


def _person(random: Random) -> Record:
    values = {"name": person(random), "age": random.randint(5, 95), "city": random.choice(CITIES)}
    text = random.choice(_PERSON).format(n=values["name"], a=values["age"], c=values["city"])
    wanted = random.choice(
        (["name", "age", "city"], ["name", "age", "city"], ["name", "age"], ["name", "city"])
    )
    value = {field: values[field] for field in wanted}
    return Record(text, value, _fields(wanted), f"person {values}")


def _order(random: Random) -> Record:
    value = {
        "item": random.choice(THINGS),
        "quantity": random.randint(2, 60),
        "price": random.randint(1, 40),
    }
    template = random.choice(_ORDER)
    text = template.format(n=person(random), i=value["item"], q=value["quantity"], p=value["price"])
    return Record(text, value, _fields(list(value)), f"order {value}")


def _event(random: Random) -> Record:
    hour = f"{random.randint(7, 21)}:{random.choice(('00', '15', '30', '45'))}"
    value = {"title": random.choice(EVENTS), "day": random.choice(DAYS), "time": hour}
    text = random.choice(_EVENT).format(e=value["title"], d=value["day"], h=hour)
    return Record(text, value, _fields(list(value)), f"event {value}")


def _fields(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"


def ages_text(random: Random, count: int) -> tuple[str, dict[str, int]]:
    """Write a sentence that gives people's ages; also return the ages by name."""
    ages = {name: random.randint(5, 95) for name in people(random, count)}
    shown = random.choice(
        ("{0} is {1}", "{0} is {1}", "{0} is {1} years old", "{0} ({1})", "{0}, aged {1}")
    )
    told = [shown.format(*pair) for pair in ages.items()]
    glue = random.choice((" and ", ", ")) if count == 2 else ", "
    text = glue.join(told) if count == 2 else ", ".join(told[:-1]) + f" and {told[-1]}"
    return text, ages


def prices_text(random: Random, count: int) -> tuple[str, dict[str, int]]:
    """Write a sentence that gives things' prices; also return the prices by thing."""
    prices = {thing: random.randint(1, 60) for thing in random.sample(THINGS, count)}
    shown = random.choice(
        ("{0} cost {1} dollars", "{0} cost ${1}", "{0} for {1} dollars", "{0}: {1}")
    )
    told = [shown.format(*pair) for pair in prices.items()]
    return ", ".join(told[:-1]) + f" and {told[-1]}", prices


def series(random: Random) -> tuple[str, str, dict[str, int]]:
    """Draw ages or prices: the plural to ask for, the text, and the values by name."""
    count = random.choice((2, 2, 3, 3, 4))
    if random.random() < 0.65:
        return ("ages", *ages_text(random, count))
    return ("prices", *prices_text(random, count))


def _list(random: Random) -> Record:
    plural, text, values = series(random)
    closed = text + random.choice((".", "", "."))
    key = f"{plural} {values}"
    form = random.random()
    if form < 0.35:
        return Record(closed, {plural: list(values.values())}, f"the {plural}", key)
    if form < 0.6:
        return Record(
            closed, list(values.values()), random.choice((f"all {plural}", f"the {plural}")), key
        )
    plural = "names" if plural == "ages" else "items"
    wanted = random.choice((f"all {plural}", f"the {plural}"))
    return Record(closed, list(values) if form < 0.85 else {plural: list(values)}, wanted, key)


def draw(random: Random) -> Item:
    """Draw one extraction."""
    form = random.choices((_person, _order, _event, _list), (3, 2, 2, 4))[0]
    record = form(random)
    asks = _ASK_LIST if isinstance(record.value, list) else _ASK
    template = random.choice(asks)
    prompt = template.format(w=record.request, t=record.text)
    if not template.startswith("{t}"):
        prompt = everyday(random, prompt)
    gold = json.dumps(record.value)
    return Item(TASK, prompt, gold, gold, "json", record.key)


def draw_short(random: Random) -> Item:
    """Draw an extraction that starts with its request, fit to be one part of a longer question."""
    form = random.choices((_person, _event, _list), (3, 2, 4))[0]
    record = form(random)
    asks = _ASK_LIST[:2] if isinstance(record.value, list) else _ASK[:2]
    prompt = random.choice(asks).format(w=record.request, t=record.text)
    gold = json.dumps(record.value)
    return Item(TASK, prompt, gold, gold, "json", record.key)
