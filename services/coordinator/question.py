"""What is asked, who may vote on it, and what came of it: the coordinator's own types. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from quorate.voting.stopping import StopRule

if TYPE_CHECKING:
    from quorate.answers import Answer, Kind
    from quorate.errors import QuorateError
    from services.coordinator.decompose.dag import Subtask


LAMBDA_TOKEN = 0.5
"""What the cost of tokens weighs in a plan."""
LAMBDA_SWITCH = 0.2
"""What loading a model weighs in a plan."""


class Mode(StrEnum):
    """How a question is split."""

    AUTO = "auto"
    """Rules; a model where rules see several requests that may not stand alone."""
    RULES = "rules"
    MODEL = "model"
    NONE = "none"


class Topology(StrEnum):
    """Whose answers a debater reads."""

    RING = "ring"
    FULL = "full"


class Message(NamedTuple):
    """One message of a conversation; `role` is "system", "user" or "assistant"."""

    role: str
    content: str


class Drawing(NamedTuple):
    """How tokens are drawn.

    `settings` is the caller's sampling as it came over the wire, passed on to nodes unread; the
    other fields override it. None leaves a field as the caller or the node has it. `constrained`
    says that a grammar or schema prescribes the form of the answer; `grammar` (GBNF) or
    `json_schema` prescribes it instead of the caller's.
    """

    settings: bytes = b""
    temperature: float | None = None
    max_tokens: int | None = None
    constrained: bool = False
    grammar: str | None = None
    json_schema: str | None = None


UNCHANGED = Drawing()


@dataclass(frozen=True)
class Question:
    """A checked question.

    `seconds` is what is left of the caller's deadline and budget (None: no limit), `tokens` the
    budget of all models together (None: no limit), `max_models` 0 asks all. `kind` None is inferred
    for each part. `tenant` is who asks, for the nodes' accounting. `seconds_are_budget` tells whose
    the `seconds` are: the budget's, or the deadline's. `risk` belongs to the stop rule RISK,
    `delta` to the certificate; below `min_agreement` a part has no answer, and ballots less
    confident than `confidence_threshold` abstain. A `frozen` question changes nothing that was
    learned; `ground_truth` teaches ("": unknown). An answer that is wrong with a probability above
    `error_risk` is withheld (0: never). `topic` "" is told by the text. `routing` names how models
    are chosen for parts ("": everybody votes on everything), under the weights `lambda_token` and
    `lambda_switch` and the limits `memory_bytes` of nodes and machines by name ("": all); the plan
    of a layer of parts looks `horizon` layers ahead. `planner` names the model that splits and
    plans ("": the most able one). `subtasks` are the parts where the caller knows them.
    """

    messages: tuple[Message, ...]
    strategy: str
    kind: Kind | None = None
    drawing: Drawing = UNCHANGED
    seed: int | None = None
    samples: int = 1
    max_models: int = 0
    models: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    seconds: float | None = None
    tokens: int | None = None
    decompose: Mode = Mode.RULES
    stop_rule: StopRule = StopRule.EXACT
    risk: float = 0.0
    seconds_are_budget: bool = False
    min_agreement: float = 0.0
    confidence_threshold: float = 0.0
    delta: float = 0.05
    deterministic: bool = False
    tenant: str = ""
    rounds: int = 0
    topology: Topology = Topology.RING
    widths: tuple[int, ...] = ()
    cascade: bool = False
    frozen: bool = False
    ground_truth: str = ""
    error_risk: float = 0.0
    topic: str = ""
    routing: str = ""
    lambda_token: float = LAMBDA_TOKEN
    lambda_switch: float = LAMBDA_SWITCH
    memory_bytes: Mapping[str, int] = field(default_factory=dict)
    horizon: int = 0
    planner: str = ""
    subtasks: tuple[Subtask, ...] = ()

    @property
    def text(self) -> str:
        """What is asked: the last message."""
        return self.messages[-1].content


@dataclass(frozen=True)
class Model:
    """A model on a live node; `reliability` maps task types to P(right), empty when unknown.

    One that is `on_demand` and not ready can be asked too: its node loads it first, for which it
    needs `missing_bytes` more (0: unknown, or promised already). `memory_bytes` is what it takes
    when it is loaded (0: unknown). One that `may_leave` may be unloaded to make room; the others
    stay, as their node's settings say. `load_seconds` is what its last load took (0: unknown),
    `busy` how many samples its `slots` work on or have waiting, `parameters` its number of weights
    (0: unknown), and `held_bytes` the memory that it holds now, as measured (0: none, or unknown).
    """

    name: str
    ready: bool
    state: str = ""
    sha256: str = ""
    weight: float = 1.0
    reliability: Mapping[str, float] = field(default_factory=dict)
    on_demand: bool = False
    missing_bytes: int = 0
    memory_bytes: int = 0
    may_leave: bool = False
    load_seconds: float = 0.0
    slots: int = 1
    busy: int = 0
    parameters: int = 0
    held_bytes: int = 0


@dataclass(frozen=True)
class Node:
    """A live node as it last announced itself.

    `report` is its own status as it came over the wire, given back to callers unread. `free_bytes`
    is the memory that no model holds or was promised; None when the node does not tell.
    `available_bytes` is what its whole `machine` has left (None: unknown; "": a machine of its
    own), and `budget_bytes` what the node's settings leave to further models (None: no limit).
    """

    name: str
    address: str
    models: tuple[Model, ...]
    group: str = ""
    draining: bool = False
    report: bytes = b""
    free_bytes: int | None = None
    machine: str = ""
    available_bytes: int | None = None
    budget_bytes: int | None = None


class Member(NamedTuple):
    """A model on a node that votes; sorts by node, then model.

    One that is not `resident` is loaded by its node first.
    """

    node: str
    model: str
    address: str
    sha256: str = ""
    weight: float = 1.0
    reliability: float = 0.0
    resident: bool = True
    memory_bytes: int = 0


class Seat(NamedTuple):
    """One vote: a member, which of its samples, and in which round.

    Votes are folded in the order of seats.
    """

    node: str
    model: str
    sample: int
    round: int = 0

    @property
    def id(self) -> str:
        """The name that votes carry."""
        later = f"/r{self.round}" if self.round else ""
        return f"{self.node}/{self.model}/{self.sample}{later}"


class Status(StrEnum):
    """What became of a ballot; all but VALID count as abstentions."""

    VALID = "VALID"
    ABSTAINED = "ABSTAINED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"


class Tokens(NamedTuple):
    """Tokens used."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    def plus(self, other: Tokens) -> Tokens:
        """Add two counts."""
        return Tokens(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Scored(NamedTuple):
    """Mean log-probability of each candidate's tokens, at most 0, and the tokens that it took."""

    logprobs: tuple[float, ...]
    tokens: Tokens


class Seconds(NamedTuple):
    """Where time went, as the coordinator saw it, in seconds; 0 is not measured.

    `load` is the part of `total` in which the model was loaded.
    """

    queue: float = 0.0
    first_token: float = 0.0
    total: float = 0.0
    load: float = 0.0


NO_TOKENS = Tokens()
NO_SECONDS = Seconds()


@dataclass(frozen=True)
class Ballot:
    """One vote with its provenance.

    `node` ran the model; it differs from the seat's after a failover. `confidence` is the
    geometric mean of the token probabilities, in [0, 1]; it is not calibrated. `ranking` orders
    all answers of the part, the best first (empty: the member was not asked, or cannot tell), and
    `verified` is a verifier's score in [0, 1]. A `calibrated` confidence is the probability of
    being right that held-out items gave; `raw_confidence` is what it was made of. From a raw one
    of `accepted_from` on a cascade believes the model alone (None: nothing was learned of that).
    """

    part_id: str
    seat: Seat
    status: Status
    node: str
    answer: Answer | None = None
    text: str = ""
    confidence: float = 0.0
    mean_logprob: float = 0.0
    weight: float = 1.0
    sha256: str = ""
    seed: int = 0
    tokens: Tokens = NO_TOKENS
    seconds: Seconds = NO_SECONDS
    error: QuorateError | None = None
    ranking: tuple[Answer, ...] = ()
    verified: float | None = None
    calibrated: bool = False
    raw_confidence: float = 0.0
    accepted_from: float | None = None

    @property
    def id(self) -> str:
        """Unique within the question."""
        return f"{self.part_id}/{self.seat.id}"

    @property
    def voted(self) -> Answer | None:
        """The answer that it votes for; an abstention may still have one on record."""
        return self.answer if self.status is Status.VALID else None
