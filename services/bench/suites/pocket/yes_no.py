"""Yes/no reasoning: comparisons, orders, membership, parity, simple sets.

Every answer has two lines: what was looked at, then yes or no.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random

from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.lexicon import THINGS, everyday, invented_name, people

TASK = "yes_no"


def answer_line(truth: bool) -> str:
    """Write the closing line."""
    return f"Answer: {'yes' if truth else 'no'}"


def _item(prompt: str, working: str, truth: bool, key: str) -> Item:
    completion = f"{working}\n{answer_line(truth)}"
    return Item(TASK, prompt, completion, "yes" if truth else "no", "boolean", key)


_COMPARE = (
    ("Is {a} greater than {b}?", ">"),
    ("Is {a} larger than {b}?", ">"),
    ("Is {a} less than {b}?", "<"),
    ("Is {a} smaller than {b}?", "<"),
    ("Is {a} > {b}?", ">"),
    ("Is {a} < {b}?", "<"),
    ("Yes or no: is {a} more than {b}?", ">"),
    ("True or false: {a} is bigger than {b}.", ">"),
    ("Is the number {a} below {b}?", "<"),
    ("Does {a} exceed {b}?", ">"),
)
_PARITY = (
    ("Is {a} an even number?", 0),
    ("Is {a} even?", 0),
    ("Is {a} odd?", 1),
    ("Is {a} an odd number?", 1),
    ("Yes or no: is {a} even?", 0),
    ("True or false: {a} is odd.", 1),
    ("Can {a} be divided by 2 exactly?", 0),
    ("Is the number {a} odd?", 1),
)
# comparative, its opposite
_SCALES = (
    ("taller", "shorter"),
    ("older", "younger"),
    ("faster", "slower"),
    ("richer", "poorer"),
    ("heavier", "lighter"),
    ("stronger", "weaker"),
)
_ORDER_ASK = (
    "{t} Is {x} {r} than {y}?",
    "{t} Yes or no: is {x} {r} than {y}?",
    "Is {x} {r} than {y}? {t}",
    "{t} True or false: {x} is {r} than {y}.",
    "{t} Can we say that {x} is {r} than {y}?",
    "Given: {t} Is {x} {r} than {y}?",
    "{t} So is {x} {r} than {y}?",
    "We know: {t} Is {x} {r} than {y}?",
)
_MEMBER = (
    "Is {x} in the list {l}?",
    "Does the list {l} contain {x}?",
    "Is {x} one of {l}?",
    "{l}: is {x} among them?",
    "Yes or no: is {x} in {l}?",
    "True or false: {x} is in {l}.",
    "Here is a list: {l}. Is {x} in it?",
    "Can {x} be found in {l}?",
)


def _compare(random: Random) -> Item:
    a, b = (random.randint(1, random.choice((20, 99, 999, 9999))) for _ in range(2))
    if random.random() < 0.3:
        b = max(1, a + random.randint(-9, 9))
    template, sign = random.choice(_COMPARE)
    truth = a > b if sign == ">" else a < b
    working = f"{a} > {b}." if a > b else f"{a} < {b}." if a < b else f"{a} = {b}."
    return _item(template.format(a=a, b=b), working, truth, f"compare {a} {b}")


def _parity(random: Random) -> Item:
    a = random.randint(1, random.choice((99, 999, 9999)))
    template, rest = random.choice(_PARITY)
    working = f"{a} ends in {a % 10}, so it is {'odd' if a % 2 else 'even'}."
    return _item(template.format(a=a), working, a % 2 == rest, f"parity {a}")


def _order(random: Random) -> Item:
    count = random.choice((2, 3, 3, 3, 4))
    names = people(random, count)
    up, down = random.choice(_SCALES)
    facts = []
    for higher, lower in pairwise(names):
        flipped = random.random() < 0.35
        facts.append(
            f"{lower} is {down} than {higher}." if flipped else f"{higher} is {up} than {lower}."
        )
    if random.random() < 0.3:
        random.shuffle(facts)
    x, y = random.sample(names, 2)
    relation = random.choice((up, up, down))
    above = names.index(x) < names.index(y)
    template = random.choice(_ORDER_ASK)
    prompt = template.format(t=" ".join(facts), x=x, y=y, r=relation)
    truth = above == (relation == up)
    return _item(prompt, f"{' > '.join(names)}.", truth, f"order {names} {x} {y} {relation}")


def _membership(random: Random) -> Item:
    if random.random() < 0.5:
        pool = random.sample(THINGS, random.randint(4, 7))
    else:
        pool = [str(number) for number in random.sample(range(1, 60), random.randint(4, 8))]
    wanted, listed = pool[0], pool[1:]
    truth = random.random() < 0.5
    if truth:
        wanted = random.choice(listed)
    shown = ", ".join(listed)
    working = f"{wanted} is {'there' if truth else 'not there'}."
    prompt = random.choice(_MEMBER).format(x=wanted, l=shown)
    return _item(prompt, working, truth, f"member {wanted} {sorted(listed)}")


_SET_ASK = (
    ("All {a}s are {b}s. {n} is a {a}. Is {n} a {b}?", "yes"),
    ("All {a}s are {b}s. {n} is a {b}. Must {n} be a {a}?", "no"),
    ("No {a} is a {b}. {n} is a {a}. Is {n} a {b}?", "no"),
    ("No {a} is a {b}. {n} is a {b}. Is {n} a {a}?", "no"),
    ("Every {a} is a {b} and every {b} is a {c}. Is every {a} a {c}?", "yes"),
    ("All {a}s are {b}s. No {b} is a {c}. Can a {a} be a {c}?", "no"),
    ("All {a}s are {b}s and all {b}s are {c}s. {n} is a {a}. Is {n} a {c}?", "yes"),
    ("Some {a}s are {b}s. {n} is a {a}. Must {n} be a {b}?", "no"),
)


def _sets(random: Random) -> Item:
    a, b, c = (invented_name(random).lower() for _ in range(3))
    index = random.randrange(len(_SET_ASK))
    template, answer = _SET_ASK[index]
    prompt = template.format(a=a, b=b, c=c, n=people(random, 1)[0])
    rule = template.split(". ")[0].split("? ")[0].rstrip("?").format(a=a, b=b, c=c, n="")
    return _item(prompt, f"{rule}.", answer == "yes", f"set {index} {a} {b}")


_FORMS: tuple[tuple[float, Callable[[Random], Item]], ...] = (
    (0.26, _compare),
    (0.12, _parity),
    (0.3, _order),
    (0.2, _membership),
    (0.12, _sets),
)


def draw(random: Random) -> Item:
    """Draw one question of any form."""
    form = random.choices([f for _, f in _FORMS], [weight for weight, _ in _FORMS])[0]
    item = form(random)
    return item._replace(prompt=everyday(random, item.prompt))


def draw_short(random: Random) -> Item:
    """Draw a one-sentence question, fit to be one part of a longer question."""
    while True:
        item = random.choice((_compare, _parity, _membership))(random)
        if item.prompt.startswith(("Is ", "Does ")) and item.prompt.count("?") == 1:
            return item
