"""What `quorate ask` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

# Typer reads the types of the fields when it runs.
from quorate.cli.options import DebateTopology, HomeOption, JsonOption, StopRule  # noqa: TC001
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


@dataclass(frozen=True)
class AskOptions:
    """The questions and options of one command, in the order in which its help lists them."""

    questions: Annotated[
        list[str],
        typer.Argument(help="Questions, asked one after another; - reads one from stdin."),
    ]
    strategy: Annotated[
        str | None,
        typer.Option(
            help="How votes are counted: see `quorate strategies`.", show_default="majority"
        ),
    ] = None
    seed: Annotated[
        int | None, typer.Option(help="Makes the answer reproducible on the same mesh.")
    ] = None
    temperature: Annotated[
        float | None, typer.Option(help="0 is greedy; up to 5.", show_default="0")
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option(help="Most tokens of each ballot.", show_default="512")
    ] = None
    max_models: MaxModelsOption = None
    model: ModelOption = None
    node: NodeOption = None
    decompose: DecomposeOption = None
    parts: PartsOption = None
    planner: PlannerOption = None
    routing: RoutingOption = None
    horizon: HorizonOption = None
    lambda_token: LambdaTokenOption = None
    lambda_switch: LambdaSwitchOption = None
    memory: MemoryOption = None
    budget_seconds: BudgetSecondsOption = None
    budget_tokens: BudgetTokensOption = None
    samples: Annotated[
        int | None,
        typer.Option(
            help="Samples of each model, up to 64.", show_default="1; 5 for self_consistency"
        ),
    ] = None
    rounds: Annotated[
        int | None,
        typer.Option(
            help="Rounds of a debate after the first answers, or layers of moa; up to 16.",
            show_default="2",
        ),
    ] = None
    topology: Annotated[
        DebateTopology | None,
        typer.Option(
            help="Whose answers a debater reads: two neighbours' or all.", show_default="ring"
        ),
    ] = None
    width: Annotated[
        list[int] | None,
        typer.Option(
            help="Candidates of a round of pacore; given once for each round.", show_default="4"
        ),
    ] = None
    cascade: Annotated[
        bool, typer.Option("--cascade", help="Ask the cheapest model first, others as needed.")
    ] = False
    min_agreement: Annotated[
        float | None,
        typer.Option(help="Least share of the ballots for the winner, 0 to 1.", show_default="0"),
    ] = None
    confidence_threshold: Annotated[
        float | None,
        typer.Option(help="Ballots less confident than this abstain, 0 to 1.", show_default="0"),
    ] = None
    error_risk: Annotated[
        float | None,
        typer.Option(
            help="Withhold answers that are wrong with more than this, 0 to 1.",
            show_default="always answer",
        ),
    ] = None
    stop_rule: Annotated[
        StopRule | None,
        typer.Option(help="When to stop asking further models.", show_default="exact"),
    ] = None
    risk: Annotated[
        float | None,
        typer.Option(
            help="Accepted probability that an early stop changes the winner, 0 to 1.",
            show_default="0",
        ),
    ] = None
    delta: Annotated[
        float | None,
        typer.Option(help="Probability of a false certificate, 0 to 0.5.", show_default="0.05"),
    ] = None
    topic: Annotated[
        str | None,
        typer.Option(help="What the question is about.", show_default="told by its text"),
    ] = None
    frozen: Annotated[
        bool, typer.Option("--frozen", help="Learn nothing from this, as in an evaluation.")
    ] = False
    ground_truth: Annotated[
        str | None, typer.Option(help="The right answer, when it is known, to learn from.")
    ] = None
    timeout: Annotated[float, typer.Option(help="Seconds for each question.", min=0.001)] = 300.0
    no_tokens: Annotated[
        bool, typer.Option("--no-tokens", help="Show ballots only, not what models say meanwhile.")
    ] = False
    as_json: JsonOption = False
    home: HomeOption = None

    def asked(self) -> dict[str, object | None]:
        """Give what a question is told, by the client's names; None leaves it to the coordinator.

        Raises InvalidRequest for a memory limit that is none, and for parts that cannot be used.
        """
        from quorate.cli.parts_file import given_parts

        return {
            "strategy": self.strategy,
            "seed": self.seed,
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "max_models": self.max_models,
            "models": self.model or None,
            "nodes": self.node or None,
            "decompose": word(self.decompose),
            "subtasks": given_parts(self.parts, self.questions, self.decompose),
            "planner": self.planner,
            "routing": word(self.routing),
            "horizon": self.horizon,
            "lambda_token": self.lambda_token,
            "lambda_switch": self.lambda_switch,
            "budget_seconds": self.budget_seconds,
            "budget_tokens": self.budget_tokens,
            "samples": self.samples,
            "rounds": self.rounds,
            "topology": word(self.topology),
            "widths": self.width or None,
            "cascade": self.cascade or None,
            "min_agreement": self.min_agreement,
            "confidence_threshold": self.confidence_threshold,
            "error_risk": self.error_risk,
            "stop_rule": word(self.stop_rule),
            "risk": self.risk,
            "delta": self.delta,
            "topic": self.topic,
            "frozen": self.frozen or None,
            "ground_truth": self.ground_truth,
            "memory": memory_limits(self.memory),
        }
