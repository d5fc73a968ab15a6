"""The library call: a list of responses in, the winning text with its confidence out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from quorate.answers import Kind, extract
from quorate.errors import InvalidRequest, NoQuorum
from quorate.voting.decision import decide
from quorate.voting.vote import Outcome, Vote


class Response(TypedDict, total=False):
    """One model's response; only `response` is needed. `model` names it, by default its place."""

    response: str
    confidence: float
    weight: float
    model: str


@dataclass(frozen=True)
class Aggregate:
    """The winning text with its confidence in [0, 1], the votes behind it, and the reasons."""

    text: str
    confidence: float
    ballots: tuple[Vote, ...]
    outcome: Outcome

    @property
    def explanation(self) -> str:
        """Why this text won."""
        return self.outcome.explanation


def aggregate(
    responses: Sequence[Response],
    strategy: str = "majority",
    *,
    kind: Kind | None = None,
    confidence_threshold: float = 0.0,
    min_agreement: float = 0.0,
) -> Aggregate:
    """Let responses vote.

    Responses below `confidence_threshold` abstain. Raises NoQuorum when the winner's agreement is
    below `min_agreement` or nobody answered, UnknownStrategy, and InvalidRequest for bad values.
    """
    ballots = tuple(
        _vote(position, response, kind, confidence_threshold)
        for position, response in enumerate(responses)
    )
    outcome = decide(strategy, ballots)
    if outcome.agreement < min_agreement:
        raise NoQuorum(
            f"{outcome.winner.text!r} has an agreement of {outcome.agreement:.3f}, "
            f"below the {min_agreement} that is asked for",
            metadata={"agreement": str(outcome.agreement)},
        )
    return Aggregate(outcome.winner.text, outcome.confidence, ballots, outcome)


def _vote(position: int, response: Mapping[str, object], kind: Kind | None, least: float) -> Vote:
    text, confidence = response.get("response"), response.get("confidence", 1.0)
    weight, member = response.get("weight", 1.0), response.get("model", f"{position:06d}")
    if not isinstance(text, str):
        raise InvalidRequest.field(
            f"responses[{position}].response", text, "it must be text", "Give the model's words."
        )
    for name, value in (("confidence", confidence), ("weight", weight)):
        if not isinstance(value, int | float):
            raise InvalidRequest.field(
                f"responses[{position}].{name}", value, "it must be a number", "Leave it out for 1."
            )
    vote = Vote(str(member), extract(text, kind), float(str(confidence)), float(str(weight)))
    return (
        vote if vote.confidence >= least else Vote(vote.member, None, vote.confidence, vote.weight)
    )
