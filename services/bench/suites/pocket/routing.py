"""Routing: choose for each subtask the most reliable model that fits into memory, as JSON."""

from __future__ import annotations

import json
from random import Random

from quorate import prompts
from services.bench.suites.pocket.item import Item
from services.bench.suites.pocket.lexicon import invented_name, words

TASK = "routing"
_MODELS = words(
    "abacus atlas scribe forge compass marshal alpha beta gamma delta "
    "tiny small medium qwen llama phi gemma"
)


def _candidates(random: Random, types: list[str]) -> list[prompts.Candidate]:
    names = random.sample(_MODELS, random.choice((2, 2, 3, 3, 4, 5, 6)))
    if random.random() < 0.2:
        names[0] = invented_name(random).lower()
    columns = {kind: random.sample(range(20, 100), len(names)) for kind in types}
    return [
        prompts.Candidate(
            name,
            {kind: columns[kind][row] / 100 for kind in types},
            random.choice((4, 8, 64, 128, 256, 512, 1024)),
            random.random() < 0.5,
        )
        for row, name in enumerate(names)
    ]


def best(candidates: list[prompts.Candidate], task_type: str, memory_mib: int) -> str:
    """Name the most reliable candidate for a task type among those that fit."""
    fitting = [model for model in candidates if model.memory_mib <= memory_mib]
    return max(fitting, key=lambda model: model.reliability[task_type]).name


def draw(random: Random) -> Item:
    """Draw one table of candidates and one to four subtasks."""
    types = random.sample(prompts.TASK_TYPES, random.choice((2, 3, 3, 4, 7)))
    candidates = _candidates(random, types)
    if len(candidates) * len(types) > 24:
        candidates = candidates[:3]
    tight = sorted(model.memory_mib for model in candidates)
    memory = random.choice((2048, 4096, 8192)) if random.random() < 0.8 else tight[len(tight) // 2]
    count = random.choice((1, 1, 2, 2, 3, 4))
    tasks = [prompts.Subtask(f"t{n}", random.choice(types)) for n in range(1, count + 1)]
    gold = json.dumps({task.id: best(candidates, task.task_type, memory) for task in tasks})
    prompt = prompts.route(candidates, tasks, memory)
    return Item(TASK, prompt, gold, gold, "json", prompt)
