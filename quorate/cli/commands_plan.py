"""`quorate plan`, as it is typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.exits import reported
from quorate.cli.fields import with_fields_of
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
    ModelOption,
    NodeOption,
    PartsOption,
    PlannerOption,
    RoutingOption,
    memory_limits,
    word,
)
from quorate.cli.questions import given, text_of

app = typer.Typer()


@dataclass(frozen=True)
class PlanOptions:
    """The questions and options of one command, in the order in which its help lists them."""

    questions: Annotated[
        list[str],
        typer.Argument(help="Questions, planned one after another; - reads one from stdin."),
    ]
    routing: RoutingOption = None
    horizon: HorizonOption = None
    lambda_token: LambdaTokenOption = None
    lambda_switch: LambdaSwitchOption = None
    memory: MemoryOption = None
    max_models: MaxModelsOption = None
    model: ModelOption = None
    node: NodeOption = None
    decompose: DecomposeOption = None
    parts: PartsOption = None
    planner: PlannerOption = None
    budget_seconds: BudgetSecondsOption = None
    budget_tokens: BudgetTokensOption = None
    pareto: Annotated[
        bool,
        typer.Option(
            "--pareto", help="Show the plans, too, that none beats in quality, tokens and seconds."
        ),
    ] = False
    picture: Annotated[
        Path | None,
        typer.Option(help="Draw the plan into this file: .svg, .png or .pdf.", show_default="none"),
    ] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Nothing changes: a plan is never run.")
    ] = False
    timeout: Annotated[float, typer.Option(help="Seconds for each question.", min=0.001)] = 300.0
    as_json: JsonOption = False
    home: HomeOption = None

    def asked(self) -> dict[str, object | None]:
        """Give what a question is told, by the client's names; None leaves it to the coordinator.

        Raises InvalidRequest for a memory limit that is none, and for parts that cannot be used.
        """
        from quorate.cli.parts_file import given_parts

        return {
            "routing": word(self.routing),
            "horizon": self.horizon,
            "lambda_token": self.lambda_token,
            "lambda_switch": self.lambda_switch,
            "memory": memory_limits(self.memory),
            "max_models": self.max_models,
            "models": self.model or None,
            "nodes": self.node or None,
            "decompose": word(self.decompose),
            "subtasks": given_parts(self.parts, self.questions, self.decompose),
            "planner": self.planner,
            "budget_seconds": self.budget_seconds,
            "budget_tokens": self.budget_tokens,
        }


@app.command(
    rich_help_panel="Questions",
    epilog='Example: quorate plan "Calculate 10% of 1000 then find best savings accounts" '
    "--memory n1=8GiB --picture plan.svg",
)
@with_fields_of(PlanOptions)
def plan(options: PlanOptions) -> None:
    """Show how questions would be split and who would answer, without asking them.

    The parts with what they need, what every model would be worth for each, who is chosen, what is
    loaded for it, the memory that takes, and what was proved about the choice. With --json, one
    object is printed for each question, on one line.
    """
    with reported(as_json=options.as_json):
        from quorate.cli import plan as command

        code = command.plan(
            home_of(options.home),
            [text_of(question) for question in options.questions],
            given(options.asked()),
            command.Wanted(
                options.timeout,
                pareto=options.pareto,
                picture=options.picture,
                dry_run=options.dry_run,
            ),
            as_json=options.as_json,
        )
    raise typer.Exit(code)
