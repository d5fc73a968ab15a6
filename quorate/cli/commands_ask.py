"""Commands that ask."""

from __future__ import annotations

from typing import Annotated

import typer

from quorate.cli.exits import reported
from quorate.cli.options import (
    DebateTopology,
    HomeOption,
    JsonOption,
    StopRule,
    home_of,
)
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
PANEL = "Questions"


@app.command(
    rich_help_panel=PANEL,
    epilog='Example: quorate ask "What is 10% of 1000?" --strategy weighted --seed 7 --json',
)
def ask(
    questions: Annotated[
        list[str],
        typer.Argument(help="Questions, asked one after another; - reads one from stdin."),
    ],
    strategy: Annotated[
        str | None,
        typer.Option(
            help="How votes are counted: see `quorate strategies`.", show_default="majority"
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Makes the answer reproducible on the same mesh.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="0 is greedy; up to 5.", show_default="0")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="Most tokens of each ballot.", show_default="512")
    ] = None,
    max_models: MaxModelsOption = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Only this model may vote; may be given several times.")
    ] = None,
    node: Annotated[
        list[str] | None, typer.Option(help="Only this node may vote; may be given several times.")
    ] = None,
    decompose: DecomposeOption = None,
    planner: PlannerOption = None,
    routing: RoutingOption = None,
    horizon: HorizonOption = None,
    lambda_token: LambdaTokenOption = None,
    lambda_switch: LambdaSwitchOption = None,
    memory: MemoryOption = None,
    budget_seconds: BudgetSecondsOption = None,
    budget_tokens: BudgetTokensOption = None,
    samples: Annotated[
        int | None,
        typer.Option(
            help="Samples of each model, up to 64.", show_default="1; 5 for self_consistency"
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            help="Rounds of a debate after the first answers, or layers of moa; up to 16.",
            show_default="2",
        ),
    ] = None,
    topology: Annotated[
        DebateTopology | None,
        typer.Option(
            help="Whose answers a debater reads: two neighbours' or all.", show_default="ring"
        ),
    ] = None,
    width: Annotated[
        list[int] | None,
        typer.Option(
            help="Candidates of a round of pacore; given once for each round.", show_default="4"
        ),
    ] = None,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="Ask the cheapest model first, others as needed.")
    ] = False,
    min_agreement: Annotated[
        float | None,
        typer.Option(help="Least share of the ballots for the winner, 0 to 1.", show_default="0"),
    ] = None,
    confidence_threshold: Annotated[
        float | None,
        typer.Option(help="Ballots less confident than this abstain, 0 to 1.", show_default="0"),
    ] = None,
    error_risk: Annotated[
        float | None,
        typer.Option(
            help="Withhold answers that are wrong with more than this, 0 to 1.",
            show_default="always answer",
        ),
    ] = None,
    stop_rule: Annotated[
        StopRule | None,
        typer.Option(help="When to stop asking further models.", show_default="exact"),
    ] = None,
    risk: Annotated[
        float | None,
        typer.Option(
            help="Accepted probability that an early stop changes the winner, 0 to 1.",
            show_default="0",
        ),
    ] = None,
    delta: Annotated[
        float | None,
        typer.Option(help="Probability of a false certificate, 0 to 0.5.", show_default="0.05"),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(help="What the question is about.", show_default="told by its text"),
    ] = None,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Learn nothing from this, as in an evaluation.")
    ] = False,
    ground_truth: Annotated[
        str | None, typer.Option(help="The right answer, when it is known, to learn from.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for each question.", min=0.001)] = 300.0,
    no_tokens: Annotated[
        bool, typer.Option("--no-tokens", help="Show ballots only, not what models say meanwhile.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Ask the mesh and watch it answer: tokens, ballots, the vote, and the answer with its quorum.

    With --json, one object is printed for each question, on one line.
    """
    options: dict[str, object | None] = {
        "strategy": strategy,
        "seed": seed,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "max_models": max_models,
        "models": model or None,
        "nodes": node or None,
        "decompose": word(decompose),
        "planner": planner,
        "routing": word(routing),
        "horizon": horizon,
        "lambda_token": lambda_token,
        "lambda_switch": lambda_switch,
        "budget_seconds": budget_seconds,
        "budget_tokens": budget_tokens,
        "samples": samples,
        "rounds": rounds,
        "topology": word(topology),
        "widths": width or None,
        "cascade": cascade or None,
        "min_agreement": min_agreement,
        "confidence_threshold": confidence_threshold,
        "error_risk": error_risk,
        "stop_rule": word(stop_rule),
        "risk": risk,
        "delta": delta,
        "topic": topic,
        "frozen": frozen or None,
        "ground_truth": ground_truth,
    }
    with reported(as_json=as_json):
        from quorate.cli import ask as command

        options["memory"] = memory_limits(memory)
        code = command.ask(
            home_of(home),
            [text_of(question) for question in questions],
            given(options),
            timeout_seconds=timeout,
            as_json=as_json,
            tokens=not no_tokens,
        )
    raise typer.Exit(code)


@app.command(rich_help_panel=PANEL, epilog="Example: quorate strategies")
def strategies(as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the voting strategies of the running mesh."""
    with reported(as_json=as_json):
        from quorate.cli import look as command

        command.strategies(home_of(home), as_json=as_json)
