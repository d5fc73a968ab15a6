"""Files that plans are drawn into: checked before anything is asked, written afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from quorate.errors import InvalidRequest, nearest

if TYPE_CHECKING:
    from quorate.client import Plan

FORMATS = ("svg", "png", "pdf")


class Picture(NamedTuple):
    """Where the plan of one question is drawn, and the plans that none beats; None is nowhere."""

    plan: Path | None = None
    frontier: Path | None = None


def pictures(file: Path | None, questions: int, *, frontier: bool) -> Sequence[Picture]:
    """Give each question its files: plan.svg, or plan-1.svg and so on where there are several.

    The frontier is drawn into plan-pareto.svg. Raises InvalidRequest for a format that is not
    known and for a file that could not be written.
    """
    if file is None:
        return [Picture()] * questions
    _check_format(file)
    numbers = [""] if questions == 1 else [f"-{number}" for number in range(1, questions + 1)]
    named = [
        Picture(
            file.with_name(f"{file.stem}{number}{file.suffix}"),
            file.with_name(f"{file.stem}{number}-pareto{file.suffix}") if frontier else None,
        )
        for number in numbers
    ]
    for path in (path for picture in named for path in picture if path):
        _check_writable(path)
    return named


def write(picture: Picture, question: str, made: Plan) -> Iterator[tuple[Path, str]]:
    """Draw a plan into its files; gives each file with the characters that no font could show."""
    if picture.plan:
        from quorate.cli.plan_picture import draw as draw_plan

        drawn = draw_plan(made, question, format_of(picture.plan))
        picture.plan.write_bytes(drawn.data)
        yield picture.plan, drawn.lost
    if picture.frontier and made.frontier:
        from quorate.cli.plan_frontier import draw as draw_frontier

        drawn = draw_frontier(made.frontier, question, format_of(picture.frontier))
        picture.frontier.write_bytes(drawn.data)
        yield picture.frontier, drawn.lost


def format_of(file: Path) -> str:
    """Give the format that a file's name asks for, such as "svg"."""
    return file.suffix.lower().removeprefix(".")


def _check_format(file: Path) -> None:
    chosen = format_of(file)
    if chosen not in FORMATS:
        raise InvalidRequest.field(
            "--picture", str(file), f"there is no format {chosen!r}",
            f"End it with .svg, .png or .pdf.{nearest(chosen, FORMATS) if chosen else ''}",
        )  # fmt: skip


def _check_writable(file: Path) -> None:
    problem = ""
    if not file.parent.is_dir():
        problem = f"there is no directory {str(file.parent)!r}"
    elif file.is_dir():
        problem = "it is a directory"
    elif not os.access(file if file.exists() else file.parent, os.W_OK):
        problem = "it cannot be written"
    if problem:
        raise InvalidRequest.field("--picture", str(file), problem, "Choose another file.")
