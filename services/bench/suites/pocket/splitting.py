"""Splitting: a question of one to four parts into the JSON that `prompts.split` asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from quorate import prompts
from services.bench.suites.pocket import arithmetic, extraction, facts, python_code, results, yes_no
from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.lexicon import CREATIVE, SUBJECTS, SUMMARIZE, everyday, words

TASK = "splitting"


class Profile(NamedTuple):
    """What a split says about a part of one kind: its task type, cost and answer form."""

    task_type: str
    estimated_tokens: int
    difficulty: str
    expected_answer: str


PROFILES: dict[str, Profile] = {
    "arithmetic": Profile("math", 64, "easy", "number"),
    "facts": Profile("facts", 16, "easy", "text"),
    "choice": Profile("facts", 16, "easy", "choice"),
    "extraction": Profile("extraction", 48, "easy", "json"),
    "python": Profile("code", 96, "medium", "code"),
    "yes_no": Profile("reasoning", 32, "medium", "boolean"),
    "creative": Profile("creative", 128, "medium", "text"),
    "summarize": Profile("summarize", 64, "medium", "text"),
    "follow_up": Profile("math", 64, "medium", "number"),
    "story": Profile("math", 96, "medium", "number"),
}


class Part(NamedTuple):
    """One part of a compound question: its text, profile name, and 0-based parents."""

    text: str
    profile: str
    parents: tuple[int, ...]
    key: str


def _of(task: str, draw: Callable[[Random], Item]) -> Callable[[Random], Part]:
    def part(random: Random) -> Part:
        item = draw(random)
        return Part(item.prompt, task, (), item.key)

    return part


def _open_fact(random: Random) -> Part:
    item = (
        facts.draw_beyond(random, varied=False)
        if random.random() < 0.2
        else facts.draw_open(random, varied=False)
    )
    return Part(item.prompt, "facts", (), item.key)


def _invention(random: Random) -> Part:
    profile, templates = random.choice((("creative", CREATIVE), ("summarize", SUMMARIZE)))
    text = random.choice(templates).format(random.choice(SUBJECTS))
    return Part(text, profile, (), text)


_SOURCES: tuple[tuple[float, Callable[[Random], Part]], ...] = (
    (0.3, _of("arithmetic", arithmetic.draw_short)),
    (0.32, _open_fact),
    (0.12, _of("python", python_code.draw_short)),
    (0.1, _of("yes_no", yes_no.draw_short)),
    (0.08, _of("extraction", extraction.draw_short)),
    (0.08, _invention),
)


def simple_part(random: Random) -> Part:
    """Draw one part that stands alone and fits on a line."""
    while True:
        source = random.choices([s for _, s in _SOURCES], [weight for weight, _ in _SOURCES])[0]
        part = source(random)
        if len(part.text) <= 90 and "\n" not in part.text:
            return part


def _lower_first(text: str) -> str:
    """Lower the first letter of a request, but not of a name or a bare expression."""
    first = text.split(" ", 1)[0]
    return text[0].lower() + text[1:] if first.isalpha() and first.lower() in _OPENERS else text


_OPENERS = frozenset(
    words(
        "what who which how name give do find tell can please state "
        "calculate compute add subtract multiply divide "
        "work take is does write implement define code show create "
        "extract list summarize sum make invent recommend "
        "search in on by i python get return"
    )
)


def _clean(text: str) -> str:
    """Return the description that a part gets: capital first, no closing full stop or comma."""
    text = text.strip().rstrip(".,;")
    return text[0].upper() + text[1:]


def _sentences(texts: list[str]) -> str:
    return " ".join(text if text[-1] in ".?" else text + "." for text in texts)


def _numbered(texts: list[str]) -> str:
    return " ".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


def _bracketed(texts: list[str]) -> str:
    return " ".join(f"{number}) {text}" for number, text in enumerate(texts, 1))


def _lines(texts: list[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _linked(word: str, keep_mark: bool) -> Callable[[list[str]], str]:
    def join(texts: list[str]) -> str:
        rest = [_lower_first(text) for text in texts[1:]]
        if keep_mark:
            return _sentences([texts[0], *(f"{word.strip().capitalize()} {text}" for text in rest)])
        bare = [text.rstrip(".?") for text in [texts[0], *rest]]
        return word.join(bare) + (texts[-1][-1] if texts[-1][-1] in ".?" else "")

    return join


# How parts are joined; the second field says whether joined parts lose their own marks.
_JOINS: tuple[tuple[Callable[[list[str]], str], bool], ...] = (
    (_sentences, False),
    (_numbered, False),
    (_bracketed, False),
    (_lines, False),
    (_linked("And", True), False),
    (_linked("Also,", True), False),
    (_linked("Then", True), False),
    (_linked(" and ", False), True),
    (_linked(" then ", False), True),
    (_linked(", and then ", False), True),
    (_linked(", then ", False), True),
    (_linked(" and also ", False), True),
    (_linked("; ", False), True),
    (_linked(" and ", False), True),
    (_linked("And", True), False),
)
_LEADS = (
    "",
    "",
    "",
    "",
    "Two things: ",
    "I have some questions. ",
    "First, ",
    "Please help me: ",
    "Hi! ",
)


def compound(random: Random, count: int) -> tuple[str, list[Part]]:
    """Join independent parts; each part comes back with the description it should get."""
    parts = [simple_part(random) for _ in range(count)]
    texts = [part.text for part in parts]
    join, loses_marks = random.choice(_JOINS)
    question = join(texts)
    lead = random.choice(_LEADS) if join is _sentences or loses_marks else ""
    if lead == "First, " or (lead == "Two things: " and count != 2):
        lead = "First " if lead == "First, " else ""
        question = _lower_first(question) if lead else question
    described = []
    for position, part in enumerate(parts):
        text = part.text.rstrip("?.") if loses_marks and position < count - 1 else part.text
        described.append(part._replace(text=_clean(text)))
    return lead + question, described


_CHAINED = (
    "First {a}, then {b}.",
    "{A}, then {b}.",
    "{A} and then {b}.",
    "{A}. Then {b}.",
    "{A}, and {b}.",
    "First {a}. After that {b}.",
    "{A}. Next, {b}.",
    "1. {A} 2. {B}",
)


def _dependent(random: Random) -> tuple[str, list[Part]]:
    while True:
        drawn = results.chain(random)
        if not drawn.follow_up.question.startswith("Who"):
            break
    first, second = drawn.first.rstrip(".?"), drawn.follow_up.question.rstrip(".?")
    template = random.choice(_CHAINED)
    question = template.format(a=_lower_first(first), A=first, b=_lower_first(second), B=second)
    if drawn.follow_up.question[-1] == "?":
        question = question.rstrip(".") + "?"
    last = _clean(second + question[-1]) if question[-1] == "?" else second
    parts = [Part(_clean(first), drawn.task, (), drawn.key), Part(last, "follow_up", (0,), "")]
    if random.random() < 0.25:
        extra = simple_part(random)
        parts.append(extra._replace(text=_clean(extra.text)))
        question = _sentences([question, f"Also, {_lower_first(extra.text)}"])
    return question, parts


_WHOLE: tuple[tuple[str, Callable[[Random], Item]], ...] = (
    ("arithmetic", arithmetic.draw),
    ("extraction", extraction.draw),
    ("yes_no", yes_no.draw),
    ("choice", facts.draw_choice),
    ("facts", facts.draw_open),
    ("python", python_code.draw),
)


def _single(random: Random) -> tuple[str, list[Part]]:
    while True:
        task, draw = random.choice(_WHOLE)
        item = draw(random)
        if len(item.prompt) <= 130:
            break
    profile = "story" if item.key.startswith("story") else task
    # A choice question keeps its options, but on one line: a description is one line of text.
    text = item.prompt.replace("\n", " ")
    return item.prompt, [Part(_clean(text), profile, (), item.key)]


def subtasks(parts: list[Part]) -> str:
    """Write parts as the JSON that `prompts.split` asks for."""
    rows = []
    for number, part in enumerate(parts, 1):
        profile = PROFILES[part.profile]
        rows.append(
            {
                "id": f"t{number}",
                "task_type": profile.task_type,
                "description": part.text,
                "depends_on": [f"t{parent + 1}" for parent in part.parents],
                "estimated_tokens": profile.estimated_tokens,
                "difficulty": profile.difficulty,
                "expected_answer": profile.expected_answer,
            }
        )
    return json.dumps({"subtasks": rows})


def draw(random: Random) -> Item:
    """Draw one question to split, or one that must be left whole."""
    form = random.random()
    if form < 0.25:
        question, parts = _single(random)
    elif form < 0.5:
        question, parts = _dependent(random)
        question = everyday(random, question)
    else:
        question, parts = compound(random, random.choices((2, 3, 4), (6, 2, 1))[0])
    gold = subtasks(parts)
    key = " | ".join(part.key for part in parts)
    return Item(TASK, prompts.split(question), gold, gold, "json", key)
