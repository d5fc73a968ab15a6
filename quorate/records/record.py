"""What is kept of an answer, as JSON. A record of a newer format is refused, never guessed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from quorate.errors import InvalidRequest
from quorate.records.values import AnswerRecord
from quorate.voting.knowledge import Joint, Kin, Knowledge, Together, pair_of
from quorate.voting.knowledge import Record as Counts

RECORD_VERSION: Final = 1


class BallotRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One ballot.

    `seat_node`, `model`, `sample` and `round` are its seat, `node` is who ran the model,
    `member_weight` what the vote had to go in with and `weight` what the strategy made of it.
    `counted` is false for ballots of earlier rounds. Seconds, tokens and confidences are as told
    to the asker; `raw_confidence` is the uncalibrated one. `memory_bytes` is what the model takes,
    0 when nobody knows.
    """

    seat_node: str
    model: str
    sample: int = 0
    round: int = 0
    node: str = ""
    sha256: str = ""
    status: str
    counted: bool = True
    answer: AnswerRecord | None = None
    text: str = ""
    confidence: float = 0.0
    raw_confidence: float = 0.0
    calibrated: bool = False
    mean_logprob: float = 0.0
    member_weight: float = 1.0
    weight: float = 0.0
    vote_model: str = ""
    ranking: tuple[AnswerRecord, ...] = ()
    verified: float | None = None
    seed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    queue_seconds: float = 0.0
    first_token_seconds: float = 0.0
    total_seconds: float = 0.0
    error: str = ""
    memory_bytes: int = 0

    @property
    def seat(self) -> str:
        """The name that the vote carries."""
        later = f"/r{self.round}" if self.round else ""
        return f"{self.seat_node}/{self.model}/{self.sample}{later}"


class KnowledgeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the strategy knew of the voters, from before the vote."""

    overall: Mapping[str, tuple[float, float]] = {}
    on_topic: Mapping[str, tuple[float, float]] = {}
    together: Sequence[tuple[str, str, float, float]] = ()
    joint: Sequence[tuple[str, str, float, float, float, float]] = ()
    kin: Mapping[str, tuple[str, str, str]] = {}
    topic: str = ""
    options: int = 0


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided; `error` says why nothing was. `features` describe the vote."""

    answer: str
    text: str
    explanation: str
    tie_break: str
    agreement: float
    features: Mapping[str, float]
    confidence: float
    calibrated: bool
    risk: float | None
    effective_votes: float
    withheld: bool
    stopped_by: str
    standings: tuple[tuple[str, int, float], ...]
    error: str


class PartRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One part; `asked` is the text that the models read last."""

    id: str
    text: str
    depends_on: tuple[str, ...]
    asked_kind: str
    topic: str
    ballots: tuple[BallotRecord, ...]
    knowledge: KnowledgeRecord
    decision: DecisionRecord


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `texts` tells whether prompts and raw texts were kept.

    `at_seconds` is the time of day, in seconds since 1970. `messages` are pairs of role and
    content. `versions` names the programs that made it.
    """

    version: int = RECORD_VERSION
    question_id: str
    at_seconds: float
    versions: Mapping[str, str]
    texts: bool
    messages: tuple[tuple[str, str], ...]
    strategy: str
    seed: int
    frozen: bool
    min_agreement: float
    answer: str
    synthesis: str
    reason: str
    total_seconds: float
    parts: tuple[PartRecord, ...]


def write(record: Record) -> bytes:
    """Give a record as JSON on one line."""
    return msgspec.json.encode(record)


def read(data: bytes) -> Record:
    """Read a record; raises InvalidRequest that says what is wrong with it."""
    try:
        found = msgspec.json.decode(data, type=_Version).version
        if found == RECORD_VERSION:
            return msgspec.json.decode(data, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest.field(
            "record", data[:40], f"it is no record of an answer: {error}",
            "Give a file that `quorate replay --save` wrote.",
        ) from error  # fmt: skip
    raise InvalidRequest.field(
        "record.version", found, f"this version reads {RECORD_VERSION}", "Use the other version."
    )


class _Version(msgspec.Struct, frozen=True):
    version: int


def knowledge_record(knowledge: Knowledge) -> KnowledgeRecord:
    """Write what a strategy knew."""
    return KnowledgeRecord(
        overall={name: (counts.right, counts.wrong) for name, counts in knowledge.overall.items()},
        on_topic={
            name: (counts.right, counts.wrong) for name, counts in knowledge.on_topic.items()
        },
        together=[(*pair, *counts) for pair, counts in sorted(knowledge.together.items())],
        joint=[(*pair, *counts) for pair, counts in sorted(knowledge.joint.items())],
        kin={name: (kin.sha256, kin.family, kin.node) for name, kin in knowledge.kin.items()},
        topic=knowledge.topic,
        options=knowledge.options,
    )


def knowledge_of(record: KnowledgeRecord) -> Knowledge:
    """Read what a strategy knew."""
    return Knowledge(
        overall={name: Counts(*counts) for name, counts in record.overall.items()},
        on_topic={name: Counts(*counts) for name, counts in record.on_topic.items()},
        together={
            pair_of(one, other): Together(*counts) for one, other, *counts in record.together
        },
        joint={pair_of(one, other): Joint(*counts) for one, other, *counts in record.joint},
        kin={name: Kin(*kin) for name, kin in record.kin.items()},
        topic=record.topic,
        options=record.options,
    )
