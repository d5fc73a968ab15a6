"""Options of planning, which `ask` and `plan` share."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from quorate.cli.options import Decompose
from quorate.errors import InvalidRequest


class Routing(StrEnum):
    """How models are chosen for the parts."""

    MIP = "mip"
    LP_RELAXED = "lp_relaxed"
    MODEL = "model"
    GREEDY = "greedy"
    ROUND_ROBIN = "round_robin"
    RANDOM = "random"


RoutingOption = Annotated[
    Routing | None,
    typer.Option(
        help="How models are chosen for the parts; mip is proved to be the best.",
        show_default="the coordinator's",
    ),
]
HorizonOption = Annotated[
    int | None,
    typer.Option(
        help="Later layers of parts to look ahead at, 0 to 16, so that models load meanwhile.",
        show_default="0",
    ),
]
LambdaTokenOption = Annotated[
    float | None,
    typer.Option(help="What the cost of tokens weighs, 0 to 1000.", show_default="0.5"),
]
LambdaSwitchOption = Annotated[
    float | None,
    typer.Option(help="What loading a model weighs, 0 to 1000.", show_default="0.2"),
]
MemoryOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Memory that the plan may use on a node or machine, like n1=8GiB, or on every "
        "machine, like 8GiB; may be given several times.",
        show_default="what the nodes allow",
    ),
]
PlannerOption = Annotated[
    str | None,
    typer.Option(
        help="The model that splits and plans, where a model does.",
        show_default="the most able one in memory",
    ),
]
DecomposeOption = Annotated[
    Decompose | None,
    typer.Option(help="How to split a question.", show_default="rules"),
]
PartsOption = Annotated[
    str | None,
    typer.Option(
        "--parts",
        metavar="FILE",
        help="The parts, where you know them: a .json or .yaml list of {id, text, depends_on, "
        "task_type, …}, or what `plan --json` printed; - reads stdin.",
        show_default="the question is split",
    ),
]
MaxModelsOption = Annotated[
    int | None, typer.Option(help="Most models to ask for each part.", show_default="all")
]
ModelOption = Annotated[
    list[str] | None, typer.Option(help="Only this model may vote; may be given several times.")
]
NodeOption = Annotated[
    list[str] | None, typer.Option(help="Only this node may vote; may be given several times.")
]
BudgetSecondsOption = Annotated[
    float | None,
    typer.Option(help="Seconds that answering may take in all.", show_default="no limit"),
]
BudgetTokensOption = Annotated[
    int | None,
    typer.Option(help="Tokens that all models may generate together.", show_default="no limit"),
]


def word(chosen: StrEnum | None) -> str | None:
    """Give what was chosen as text."""
    return chosen.value if chosen else None


def memory_limits(limits: Sequence[str] | None) -> dict[str, int | str] | None:
    """Read NAME=SIZE, or SIZE for every machine; raises InvalidRequest for a name given twice."""
    read: dict[str, int | str] = {}
    for limit in limits or ():
        name, _, size = limit.rpartition("=")
        if name.strip() in read:
            raise InvalidRequest.field(
                "--memory", limit, f"{name.strip() or 'every machine'} has a limit already",
                "Give one for each.",
            )  # fmt: skip
        read[name.strip()] = size
    return read or None
