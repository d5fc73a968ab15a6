"""The table of specialists: readable in 80 columns, without colours."""

from __future__ import annotations

import io

from rich.console import Console

from quorate.cli.specialists import draw
from quorate.client.specialists import Estimated, Specialist
from quorate.prompts import TASK_TYPES

MODELS = ("abacus", "atlas", "scribe", "forge", "compass", "marshal")


def shown(listed: list[Specialist], columns: int = 80) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=columns, color_system=None).print(draw(listed))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def specialist(model: str, best: str = "", nodes: tuple[str, ...] = ("n1",)) -> Specialist:
    return Specialist(
        model, nodes, {kind: Estimated(0.875, 1442.7, kind == best) for kind in TASK_TYPES}
    )


def test_six_models_are_readable_in_80_columns() -> None:
    lines = shown(
        [specialist(model, best) for model, best in zip(MODELS, TASK_TYPES, strict=False)]
    )
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["model", *TASK_TYPES]
    assert len(lines) == 1 + 2 * len(MODELS)
    for line, items, model, best in zip(lines[1::2], lines[2::2], MODELS, TASK_TYPES, strict=False):
        cells = line.split()
        assert cells[0] == model
        assert cells[1:] == ["*0.875" if kind == best else "0.875" for kind in TASK_TYPES]
        assert items.split() == ["1442.7"] * len(TASK_TYPES)


def test_long_names_are_folded_and_no_number_is_cut() -> None:
    name = "Qwen2.5-Coder-7B-Instruct-Q4_K_M-with-a-long-tail"
    lines = shown([specialist(name, "code")])
    assert max(map(len, lines)) <= 80
    width = lines[0].index("code") - 2  # a mark stands before the first number
    assert "".join(line[:width].strip() for line in lines[1:]) == name
    assert sum(line.count("0.875") for line in lines) == len(TASK_TYPES)
    assert sum(line.count("1442.7") for line in lines) == len(TASK_TYPES)


def test_models_of_one_name_with_different_estimates_are_told_apart_by_their_nodes() -> None:
    lines = shown([specialist("atlas", nodes=("n1", "n2")), specialist("atlas", nodes=("n3",))])
    assert lines[1].startswith("n1, n2/atlas")
    assert lines[3].startswith("n3/atlas")


def test_whole_numbers_of_answers_have_no_fraction() -> None:
    estimates = {kind: Estimated(0.5, 12.0) for kind in TASK_TYPES}
    assert shown([Specialist("atlas", ("n1",), estimates)])[2].split() == ["12"] * len(TASK_TYPES)
