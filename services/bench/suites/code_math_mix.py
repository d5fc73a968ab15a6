"""code_math_mix: questions of two kinds that no one model is best at, half code and half math.

Each kind has templates that are drawn from in turns: those that the pocket models practise, and
word problems and functions with constants that they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Final

from quorate.answers import Kind
from quorate.errors import InvalidRequest, nearest
from services.bench.suites import drawing, mixing, pocket, scoring
from services.bench.suites.mix import functions, problems
from services.bench.suites.pocket.item import stable_share
from services.bench.suites.suite import Item

if TYPE_CHECKING:
    from services.bench.suites.suite import Split

NAME: Final = "code_math_mix"
Templates = Mapping[str, Mapping[str, Callable[[Random], pocket.Item]]]
"""What draws items, by task and by name."""
TEMPLATES: Final[Templates] = {"code": functions.TEMPLATES, "math": problems.TEMPLATES}
PRACTISED: Final[Templates] = {"code": functions.PRACTISED, "math": problems.PRACTISED}
"""Those that the pocket models practise."""


class CodeMathMix:
    """Functions to write and problems to work out, from all templates or from those given."""

    name = NAME
    description = "Generated questions, half Python functions and half arithmetic, any number"
    licence = "Apache-2.0"
    tasks: tuple[str, ...] = tuple(TEMPLATES)

    def __init__(self, among: Templates = TEMPLATES) -> None:
        self._among = among

    def items(self, task: str, split: Split, count: int, seed: int) -> Sequence[Item]:
        """Draw different items, from each template in its turn.

        Raises InvalidRequest for an unknown task or when there are not so many.
        """
        if task not in self._among:
            hint = nearest(task, self._among)
            raise InvalidRequest.field("task", task, f"{NAME} has no such task", hint)
        random = Random(f"{NAME}/{task}/{split}/{seed}")
        stream = drawing.in_turns(
            self._among[task],
            lambda template: _drawn(task, template, self._among[task][template](random), split),
            lambda item: item.cluster,
            random,
        )
        return drawing.first(stream, count, f"{task} for {split}")

    def mixed(self, split: Split, count: int, seed: int, mix: str) -> Sequence[Item]:
        """Draw items of both tasks in one order: "grouped" by task, or "interleave", in turns.

        An odd item is of the first task. Raises InvalidRequest as `items` does, and for another
        mix.
        """
        half = count // len(self.tasks)
        counts = (count - half, half)
        groups = [
            self.items(task, split, share, seed)
            for task, share in zip(self.tasks, counts, strict=True)
        ]
        return mixing.arranged(groups, mix)

    def right(self, item: Item, reply: str) -> bool:
        """Say whether a reply is right: a number that is equal, or code whose assertions hold."""
        return scoring.right(item, reply)


def _drawn(task: str, template: str, drawn: pocket.Item, split: Split) -> Item | None:
    if not drawing.fits(drawn, split):
        return None
    own = int(stable_share(f"{template}|{drawn.prompt}") * 2**48)
    return Item(
        id=f"{NAME}/{template}/{own:012x}",
        task=task,
        question=drawn.prompt,
        gold=drawn.answer,
        kind=Kind(drawn.kind),
        cluster=f"{task}|{drawn.key}",
        checks=drawn.checks,
    )
