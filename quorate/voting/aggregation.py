"""The library call: a list of responses in, the winning text with its confidence out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from quorate.answers import Kind, extract
from quorate.errors import InvalidRequest, NoQuorum, nearest
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
    _check_share("confidence_threshold", confidence_threshold)
    _check_share("min_agreement", min_agreement)
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


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:  # also false for NaN
        raise InvalidRequest.field(name, value, "it must lie in [0, 1]", "Give a share.")


def _vote(position: int, response: Mapping[str, object], kind: Kind | None, least: float) -> Vote:
    place = f"responses[{position}]"
    for name in response:
        if name not in Response.__annotations__:
            hint = nearest(name, Response.__annotations__)
            raise InvalidRequest.field(f"{place}.{name}", name, "there is no such key", hint)
    text = response.get("response")
    if not isinstance(text, str):
        raise InvalidRequest.field(
            f"{place}.response", text, "it must be text", "Give the model's words."
        )
    member = str(response.get("model", f"{position:06d}"))
    confidence, weight = (_number(place, name, response) for name in ("confidence", "weight"))
    vote = Vote(member, extract(text, kind), confidence, weight)
    return vote if confidence >= least else Vote(member, None, confidence, weight)


def _number(place: str, name: str, response: Mapping[str, object]) -> float:
    value = response.get(name, 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequest.field(
            f"{place}.{name}", value, "it must be a number", "Leave it out for 1."
        )
    return float(value)
