"""`quorate plan`, as it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.exits import reported
from quorate.cli.options import HomeOption, JsonOption, home_of
from quorate.cli.plan_options import (
    BudgetSecondsOption,
    BudgetTokensOption,
    DecomposeOption,
    HorizonOption,
    LambdaSwitchOption,
    LambdaTokenOption,
    MaxModelsOption,
    MemoryOption,
    PlannerOption,
    RoutingOption,
    memory_limits,
    word,
)
from quorate.cli.questions import given, text_of

app = typer.Typer()


@app.command(
    rich_help_panel="Questions",
    epilog='Example: quorate plan "Calculate 10% of 1000 then find best savings accounts" '
    "--memory n1=8GiB --picture plan.svg",
)
def plan(
    questions: Annotated[
        list[str],
        typer.Argument(help="Questions, planned one after another; - reads one from stdin."),
    ],
    routing: RoutingOption = None,
    horizon: HorizonOption = None,
    lambda_token: LambdaTokenOption = None,
    lambda_switch: LambdaSwitchOption = None,
    memory: MemoryOption = None,
    max_models: MaxModelsOption = None,
    decompose: DecomposeOption = None,
    planner: PlannerOption = None,
    budget_seconds: BudgetSecondsOption = None,
    budget_tokens: BudgetTokensOption = None,
    pareto: Annotated[
        bool,
        typer.Option(
            "--pareto", help="Show the plans, too, that none beats in quality, tokens and seconds."
        ),
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(help="Draw the plan into this file: .svg, .png or .pdf.", show_default="none"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Nothing changes: a plan is never run.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds for each question.", min=0.001)] = 300.0,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show how questions would be split and who would answer, without asking them.

    The parts with what they need, what every model would be worth for each, who is chosen, what is
    loaded for it, the memory that takes, and what was proved about the choice. With --json, one
    object is printed for each question, on one line.
    """
    with reported(as_json=as_json):
        from quorate.cli import plan as command

        options: dict[str, object | None] = {
            "routing": word(routing),
            "horizon": horizon,
            "lambda_token": lambda_token,
            "lambda_switch": lambda_switch,
            "memory": memory_limits(memory),
            "max_models": max_models,
            "decompose": word(decompose),
            "planner": planner,
            "budget_seconds": budget_seconds,
            "budget_tokens": budget_tokens,
        }
        code = command.plan(
            home_of(home),
            [text_of(question) for question in questions],
            given(options),
            command.Wanted(timeout, pareto=pareto, picture=picture, dry_run=dry_run),
            as_json=as_json,
        )
    raise typer.Exit(code)
