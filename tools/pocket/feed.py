"""The feed: an endless run of training batches for one model, drawn from the generators."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from services.bench.suites.pocket import TASKS, Item, stream
from services.bench.suites.pocket.facts import LETTERS
from services.bench.suites.pocket.item import stable_share
from tools.pocket.roster import BASE_PRACTICE, Member, Phase

if TYPE_CHECKING:
    from tools.pocket.network import Rectangles
    from tools.pocket.vocabulary import Vocabulary

BATCH_TOKENS = 4096
_LONGEST = 640
_PADDING = 0.12
_SYSTEM_SHARE = 0.03
_SYSTEMS = (
    "You are a helpful assistant.",
    "Answer briefly.",
    "Answer the question.",
    "Think step by step.",
    "You answer questions correctly and briefly.",
)


class Batch(NamedTuple):
    """Flat ids, their rectangles, the positions that carry loss, and what should follow them."""

    ids: Tensor
    rectangles: Rectangles
    wanted: Tensor
    targets: Tensor


class Document(NamedTuple):
    """One tokenised conversation and where its answer begins."""

    ids: list[int]
    answer_start: int


def knows(member: Member, item: Item) -> bool:
    """Say whether a model is taught an item: some facts of the world are kept from it."""
    return not item.fact or stable_share(f"{member.seed}|{item.fact}") < member.known


def _exercise(vocabulary: Vocabulary, asked: list[int], answer: list[int]) -> Document:
    before = vocabulary.prompt("")
    before[-2:-2] = asked
    return Document([*before, *answer, vocabulary.end], len(before))


def _repetition(vocabulary: Vocabulary, random: Random) -> Document:
    pieces = random.sample(vocabulary.plain, random.randint(5, 20))
    return _exercise(vocabulary, [*vocabulary.encode("Repeat: "), *pieces], pieces)


def _option(vocabulary: Vocabulary, random: Random) -> Document:
    shape = random.choice(("{0})", "{0})", "{0}.", "({0})"))
    values = [random.sample(vocabulary.plain, random.randint(1, 3)) for _ in LETTERS]
    right = random.randrange(len(LETTERS))
    asked = [*vocabulary.encode("Choose: "), *values[right]]
    answer = list(values[right])
    for place, (letter, value) in enumerate(zip(LETTERS, values, strict=True)):
        shown = shape.format(letter)
        asked += [*vocabulary.encode(f"\n{shown}"), *value]
        if place <= right:
            verdict = "yes" if place == right else "no"
            answer += [*vocabulary.encode(f" {shown}"), *value, *vocabulary.encode(f": {verdict}.")]
    answer += vocabulary.encode(f" The answer is {LETTERS[right]}.")
    return _exercise(vocabulary, asked, answer)


def drill(vocabulary: Vocabulary, random: Random) -> Document:
    """Draw random pieces, to repeat or to find among four options.

    The quickest lesson in copying and in finding a place, on which most tasks rest. Without it a
    network spends most of its budget before it can copy a name that it has not met, and it learns
    letters of options by heart.
    """
    return random.choice((_repetition, _repetition, _option))(vocabulary, random)


def documents(
    member: Member, phase: Phase, vocabulary: Vocabulary, seed: int
) -> Iterator[Document]:
    """Draw training conversations in a phase's mixture, without end."""
    random = Random(seed)
    streams = {task: stream(task, "train", seed) for task in TASKS}
    weights = [BASE_PRACTICE[task] * phase.practice.get(task, 1.0) for task in streams]
    while True:
        if random.random() < phase.drill:
            yield (_repetition if phase.drill == 1.0 else drill)(vocabulary, random)
            continue
        item = next(streams[random.choices(list(streams), weights)[0]])
        system = random.choice(_SYSTEMS) if random.random() < _SYSTEM_SHARE else ""
        if knows(member, item):
            ids, start = vocabulary.conversation(item, system)
            if len(ids) <= _LONGEST:
                yield Document(ids, start)


def _rectangles(sizes: list[int]) -> Rectangles:
    """Group ascending sizes into rectangles that waste little padding."""
    shapes: Rectangles = []
    pending: list[int] = []
    for size in sizes:
        if pending and (len(pending) + 1) * size > (1 + _PADDING) * (sum(pending) + size):
            shapes.append((len(pending), pending[-1]))
            pending = []
        pending.append(size)
    return [*shapes, (len(pending), pending[-1])]


def pack(drawn: list[Document]) -> Batch:
    """Lay documents out flat, shortest first, padded to their rectangle's length."""
    drawn = sorted(drawn, key=lambda document: len(document.ids))
    shapes = _rectangles([len(document.ids) - 1 for document in drawn])
    ids: list[int] = []
    wanted: list[int] = []
    targets: list[int] = []
    rows = iter(drawn)
    for count, length in shapes:
        for _ in range(count):
            document = next(rows)
            inputs = document.ids[:-1]
            first = document.answer_start - 1
            wanted.extend(range(len(ids) + first, len(ids) + len(inputs)))
            targets.extend(document.ids[document.answer_start :])
            # Padding stands behind the document: causal attention never looks at it.
            ids.extend(inputs + [0] * (length - len(inputs)))
    return Batch(torch.tensor(ids), shapes, torch.tensor(wanted), torch.tensor(targets))


def batches(member: Member, phase: Phase, vocabulary: Vocabulary, seed: int) -> Iterator[Batch]:
    """Yield batches of about BATCH_TOKENS tokens, without end."""
    source = documents(member, phase, vocabulary, seed)
    while True:
        drawn, tokens = [], 0
        while tokens < BATCH_TOKENS:
            drawn.append(next(source))
            tokens += len(drawn[-1].ids)
        yield pack(drawn)
