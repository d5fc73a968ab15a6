"""Labelled questions: some that must stay whole, some that have parts. Written for this project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
WRITTEN_BEFORE: Final = HERE / "questions.yaml"
"""Questions that the rules were written with."""
WRITTEN_AFTER: Final = HERE / "later_questions.yaml"
"""Questions that were written when the rules were done; no rule was changed for their splits."""


@dataclass(frozen=True)
class Expected:
    """A part that a question has: a stretch of text that it alone holds, and its parents from 1."""

    holds: str
    needs: tuple[int, ...]


@dataclass(frozen=True)
class Labelled:
    """A question and its parts; one without parts must stay whole. `look` is what it looks like."""

    question: str
    parts: tuple[Expected, ...] = ()
    look: str = ""

    @property
    def whole(self) -> bool:
        """Whether it must stay whole."""
        return not self.parts


def read(path: Path) -> list[Labelled]:
    """Read the labelled questions of a file.

    Raises ValueError for a part with a stretch of text that its question lacks, and for parents
    that do not come before it.
    """
    document: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    whole = [
        Labelled(question, (), look)
        for look, questions in document["whole"].items()
        for question in questions
    ]
    return whole + [_split(row) for row in document["split"]]


def everything() -> list[Labelled]:
    """Give all labelled questions."""
    return [*read(WRITTEN_BEFORE), *read(WRITTEN_AFTER)]


def _split(row: dict[str, Any]) -> Labelled:
    question = row["question"]
    parts = tuple(Expected(str(holds), tuple(needs)) for holds, needs in row["parts"])
    for number, part in enumerate(parts, 1):
        if part.holds.lower() not in question.lower():
            raise ValueError(f"{part.holds!r} does not stand in {question!r}; write it as it is")
        if not all(1 <= parent < number for parent in part.needs):
            raise ValueError(f"part {number} of {question!r} needs {part.needs}; name earlier ones")
    return Labelled(question, parts)
