"""A question and how it is to be answered, checked before it leaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict, Unpack

from quorate.errors import InvalidRequest, nearest

if TYPE_CHECKING:
    from quorate.client.plans import Subtask

ROLES = ("system", "user", "assistant")
ROUTINGS = ("mip", "lp_relaxed", "model", "greedy", "round_robin", "random")


@dataclass(frozen=True)
class Message:
    """One message of a conversation; `role` is "system", "user" or "assistant"."""

    content: str
    role: str = "user"


class Options(TypedDict, total=False):
    """How a question is to be answered; what is left out is the coordinator's default.

    `strategy` names a voting strategy. `max_models` is the most models
    to ask for each part, `models` and `nodes` the only ones that may vote. `kind` is the expected
    type of answer: choice, number, boolean, expression, code, json or text. `decompose` is auto,
    rules, model or none; `stop_rule` exact, never, risk, adaptive or window, with `risk` the
    accepted probability that an early stop changes the winner. A part whose winner has less than
    `min_agreement` has no answer, ballots below `confidence_threshold` abstain, and an answer that
    is wrong with more than `error_risk` is withheld. `rounds` are those of debate and moa,
    `topology` (ring or full) says who reads whom in a debate, `widths` are pacore's. `cascade` asks
    the cheapest models first until one is sure. `delta` is the probability of a false certificate.
    `topic` says what the question is about, and `frozen` leaves learned state as it is.

    Planning: `routing` is mip, lp_relaxed, model, greedy, round_robin or random, and `horizon` the
    later layers of parts that it looks ahead at, 0 to 16. `lambda_token` weighs the cost of tokens
    and `lambda_switch` that of loading models, each in [0, 1000]. `memory` limits what the plan
    uses: {"gpu0": "8GiB", "n2": 500_000_000} by the name of a node or machine, "" for every
    machine. `planner` names the model that splits and plans where a model does. `subtasks` are the
    parts where you know them, at most 64: each a Subtask, or a mapping with `id`, `text` (or
    `description`) and, as far as known, `depends_on`, `task_type`, `kind` (or `expected_answer`),
    `estimated_tokens` and `difficulty`. Then nothing is split.

    Sampling: seed, temperature, top_k, top_p, min_p, max_tokens, stop, grammar, json_schema.
    """

    strategy: str
    routing: str
    seed: int
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    max_tokens: int
    stop: Sequence[str]
    grammar: str
    json_schema: str
    max_models: int
    budget_seconds: float
    budget_tokens: int
    risk: float
    kind: str
    ground_truth: str
    models: Sequence[str]
    nodes: Sequence[str]
    decompose: str
    stop_rule: str
    samples: int
    rounds: int
    topology: str
    widths: Sequence[int]
    cascade: bool
    min_agreement: float
    confidence_threshold: float
    error_risk: float
    delta: float
    topic: str
    horizon: int
    lambda_token: float
    lambda_switch: float
    memory: Mapping[str, int | str]
    planner: str
    subtasks: Sequence[Mapping[str, object] | Subtask]
    frozen: bool
    deterministic: bool


@dataclass(frozen=True)
class Question:
    """A conversation whose last message is the question, with its options (see Options)."""

    messages: tuple[Message, ...]
    strategy: str = ""
    routing: str = ""
    seed: int | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    stop: Sequence[str] = ()
    grammar: str | None = None
    json_schema: str | None = None
    max_models: int = 0
    budget_seconds: float = 0.0
    budget_tokens: int = 0
    risk: float = 0.0
    kind: str = ""
    ground_truth: str = ""
    models: Sequence[str] = ()
    nodes: Sequence[str] = ()
    decompose: str = ""
    stop_rule: str = ""
    samples: int = 0
    rounds: int = 0
    topology: str = ""
    widths: Sequence[int] = ()
    cascade: bool = False
    min_agreement: float = 0.0
    confidence_threshold: float = 0.0
    error_risk: float = 0.0
    delta: float = 0.0
    topic: str = ""
    horizon: int = 0
    lambda_token: float | None = None
    lambda_switch: float | None = None
    memory: Mapping[str, int | str] = field(default_factory=dict)
    planner: str = ""
    subtasks: Sequence[Mapping[str, object] | Subtask] = ()
    frozen: bool = False
    deterministic: bool = False

    @property
    def text(self) -> str:
        """Give the question itself."""
        return self.messages[-1].content


Asked = str | Message | Sequence[Message] | Question
"""What may be asked: a text, messages of which the last is the question, or a whole Question."""


def question_of(asked: Asked, options: Options) -> Question:
    """Give the question that somebody asked; raises InvalidRequest for an unknown option."""
    known = {one.name for one in dataclasses.fields(Question)} - {"messages"}
    for name in options:
        if name not in known:
            raise InvalidRequest(f"there is no option {name!r}.{nearest(name, known)}")
    if isinstance(asked, Question):
        return dataclasses.replace(asked, **options)
    if isinstance(asked, str):
        asked = [Message(asked)]
    elif isinstance(asked, Message):
        asked = [asked]
    return Question(tuple(asked), **options)


def question(asked: Asked, **options: Unpack[Options]) -> Question:
    """Write a question for a batch: `question("What is 2+2?", strategy="weighted")`."""
    return question_of(asked, options)
