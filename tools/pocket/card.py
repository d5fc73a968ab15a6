"""The model card and the accuracy file: from one set of figures, so that they cannot disagree."""

from __future__ import annotations

from typing import Any, TypedDict

from tools.pocket import figures
from tools.pocket.evaluation import SEED
from tools.pocket.roster import BASE_PRACTICE, ROSTER, Member

# The planner's task type that each task of the suite measures.
TASK_TYPES = {
    "arithmetic": "math",
    "facts": "facts",
    "extraction": "extraction",
    "python": "code",
    "yes_no": "reasoning",
    "merging": "summarize",
}


class Trained(TypedDict):
    """What a training spent and made: `minutes` are one CPU thread's wall-clock minutes."""

    seed: int
    layers: int
    width: int
    parameters: int
    steps: int
    tokens: int
    minutes: float
    bytes: int


class Document(TypedDict):
    """The accuracy file."""

    items_per_task: int
    seed: int
    llama_cpp_python: str
    task_types: dict[str, str]
    training: dict[str, Trained]
    accuracy: dict[str, dict[str, figures.Accuracy]]
    majority: dict[str, float]
    correlation: dict[str, float]


def measured(replies: figures.Replies, trained: dict[str, Trained], version: str) -> Document:
    """Compute every figure of the accuracy file from the models' replies."""
    first = next(iter(replies.values()))
    return {
        "items_per_task": len(next(iter(first.values()))),
        "seed": SEED,
        "llama_cpp_python": version,
        "task_types": TASK_TYPES,
        "training": trained,
        "accuracy": {
            name: {task: figures.accuracy(list_) for task, list_ in by_task.items()}
            for name, by_task in replies.items()
        },
        "majority": {task: figures.majority(replies, task) for task in figures.VOTED},
        "correlation": figures.correlations(replies),
    }


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Write a Markdown table."""
    return "\n".join([_row(header), _row(["---"] * len(header)), *map(_row, rows)])


def accuracy_table(document: Document) -> str:
    """Write right answers in per cent by task and model; a model's speciality is in bold."""
    names = list(document["accuracy"])
    rows = []
    for task in next(iter(document["accuracy"].values())):
        cells = [task]
        for name in names:
            share = f"{100 * document['accuracy'][name][task]['accuracy']:.1f}"
            cells.append(f"**{share}**" if task in ROSTER[name].speciality else share)
        voted = document["majority"].get(task)
        rows.append([*cells, "–" if voted is None else f"{100 * voted:.1f}"])
    return table(["task", *names, "majority of six"], rows)


def interval_table(document: Document) -> str:
    """Write the 95 % Wilson interval of each model's specialities."""
    rows = []
    for name, by_task in document["accuracy"].items():
        for task in ROSTER[name].speciality:
            found = by_task[task]
            span = f"{100 * found['low']:.1f} to {100 * found['high']:.1f}"
            rows.append([name, task, f"{found['right']}/{found['n']}", span])
    return table(["model", "speciality", "right", "95 % interval"], rows)


def training_table(document: Document) -> str:
    """Write each model's shape and what its training spent."""
    rows = []
    for name, spent in document["training"].items():
        known = f"{100 * ROSTER[name].known:.0f} %"
        shape = f"{spent['layers']} × {spent['width']}"
        numbers = [f"{spent['parameters']:,}", f"{spent['bytes']:,}", f"{spent['steps']:,}"]
        spending = [f"{spent['tokens'] / 1e6:.1f} M", f"{spent['minutes']:.0f}", known]
        rows.append([name, str(spent["seed"]), shape, *numbers, *spending])
    header = ["model", "seed", "layers × width", "parameters", "bytes", "steps", "tokens"]
    return table([*header, "minutes", "facts taught"], rows)


def correlation_table(document: Document) -> str:
    """Write the correlation of errors for each pair of models."""
    names = list(document["accuracy"])
    rows = []
    for row, first in enumerate(names):
        cells = [first]
        for column, second in enumerate(names):
            value = document["correlation"].get(f"{first}/{second}") if column > row else None
            cells.append("" if value is None else f"{value:.2f}")
        rows.append(cells)
    return table(["", *names], rows)


def practised(member: Member) -> dict[str, float]:
    """Return the share of each task, and of the drill, in the documents that a model draws."""
    steps = sum(phase.steps for phase in member.phases)
    shares = dict.fromkeys([*BASE_PRACTICE, "drill"], 0.0)
    for phase in member.phases:
        weights = {
            task: base * phase.practice.get(task, 1.0) for task, base in BASE_PRACTICE.items()
        }
        for task, weight in weights.items():
            part = (1 - phase.drill) * weight / sum(weights.values())
            shares[task] += part * phase.steps / steps
        shares["drill"] += phase.drill * phase.steps / steps
    return shares


def practice_table() -> str:
    """Write what each model practises, before the hash keeps test items out."""
    shares = [practised(member) for member in ROSTER.values()]
    rows = [[task, *(f"{100 * share[task]:.0f} %" for share in shares)] for task in shares[0]]
    return table(["task", *ROSTER], rows)


def card(document: Document, template: str) -> str:
    """Fill the card's template with the tables."""
    makers: dict[str, Any] = {
        "accuracy": accuracy_table,
        "intervals": interval_table,
        "training": training_table,
        "correlation": correlation_table,
    }
    filled = template.replace("<!-- practice -->", practice_table())
    for name, make in makers.items():
        filled = filled.replace(f"<!-- {name} -->", make(document))
    total = sum(spent["bytes"] for spent in document["training"].values())
    filled = filled.replace("<!-- total -->", f"{total:,}")
    filled = filled.replace("<!-- items -->", str(document["items_per_task"]))
    return filled.replace("<!-- version -->", document["llama_cpp_python"])
