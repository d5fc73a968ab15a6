"""The library call: a list of responses in, the winning text with its confidence out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from quorate.answers import Answer, Kind, extract
from quorate.errors import InvalidRequest, NoQuorum, nearest
from quorate.voting.decision import decide
from quorate.voting.knowledge import NOTHING_KNOWN, Knowledge
from quorate.voting.strategies import Strategy, find
from quorate.voting.vote import Outcome, Vote


class Response(TypedDict, total=False):
    """One model's response; only `response` is needed.

    `model` names who said it, by default its place; several responses of one model are its samples.
    `confidence` lies in [0, 1], `weight` is at least 0; both are 1 by default. `ranking` lists
    texts whose answers the model prefers, the best first. `verified` is a verifier's score in
    [0, 1], None when there was none.
    """

    response: str
    confidence: float
    weight: float
    model: str
    ranking: Sequence[str]
    verified: float | None


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
    knowledge: Knowledge = NOTHING_KNOWN,
) -> Aggregate:
    """Let responses vote.

    `kind` is the type of answer that counts, by default whatever type the texts show. `knowledge`
    is the models' history, by the names that the responses carry. Responses below
    `confidence_threshold` abstain. Raises NoQuorum when the winner's agreement is below
    `min_agreement` or nobody answered, UnknownStrategy, and InvalidRequest for bad values, and for
    strategies that ask models again.
    """
    rule = _pure(strategy)
    _check_share("confidence_threshold", confidence_threshold)
    _check_share("min_agreement", min_agreement)
    ballots = tuple(
        _vote(position, response, kind, confidence_threshold)
        for position, response in enumerate(responses)
    )
    outcome = decide(rule, ballots, knowledge)
    if outcome.agreement < min_agreement:
        raise NoQuorum(
            f"{outcome.winner.text!r} has an agreement of {outcome.agreement:.3f}, "
            f"below the {min_agreement} that is asked for",
            metadata={"agreement": str(outcome.agreement)},
        )
    return Aggregate(outcome.winner.text, outcome.confidence, ballots, outcome)


def _pure(strategy: str) -> Strategy:
    rule = find(strategy)
    if rule.orchestrated:
        raise InvalidRequest.field(
            "strategy",
            strategy,
            "it asks models again, and a list of responses has none to ask",
            "Ask a mesh with it, or count these responses by 'majority'.",
        )
    return rule


def _check_share(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:  # also false for NaN
        raise InvalidRequest.field(name, value, "it must lie in [0, 1]", "Give a share.")


def _vote(position: int, response: Mapping[str, object], kind: Kind | None, least: float) -> Vote:
    place = f"responses[{position}]"
    if not isinstance(response, Mapping):
        raise InvalidRequest.field(
            place, response, "it must be a mapping", 'Give {"response": the model\'s words}.'
        )
    for name in response:
        if name not in Response.__annotations__:
            hint = nearest(name, Response.__annotations__)
            raise InvalidRequest.field(f"{place}.{name}", name, "there is no such key", hint)
    text = response.get("response")
    if not isinstance(text, str):
        raise InvalidRequest.field(
            f"{place}.response", text, "it must be text", "Give the model's words."
        )
    member = response.get("model", f"{position:06d}")
    if not isinstance(member, str) or not member:
        raise InvalidRequest.field(
            f"{place}.model", member, "it must be a name", "Leave it out to number responses."
        )
    confidence, weight = (_number(place, name, response) for name in ("confidence", "weight"))
    return Vote(
        member,
        extract(text, kind) if confidence >= least else None,
        confidence,
        weight,
        ranking=_ranking(place, response, kind),
        verified=_verified(place, response),
    )


def _ranking(place: str, response: Mapping[str, object], kind: Kind | None) -> tuple[Answer, ...]:
    texts = response.get("ranking", ())
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        raise InvalidRequest.field(
            f"{place}.ranking", texts, "it must be a list of texts", "Put the best first."
        )
    answers = []
    for rank, text in enumerate(texts):
        answer = extract(text, kind) if isinstance(text, str) else None
        if answer is None:
            raise InvalidRequest.field(
                f"{place}.ranking[{rank}]", text, "no answer is in it", "Leave it out."
            )
        answers.append(answer)
    return tuple(answers)


def _verified(place: str, response: Mapping[str, object]) -> float | None:
    if response.get("verified") is None:
        return None
    return _number(place, "verified", response)


def _number(place: str, name: str, response: Mapping[str, object]) -> float:
    value = response.get(name, 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequest.field(
            f"{place}.{name}", value, "it must be a number", "Leave it out for 1."
        )
    try:
        return float(value)
    except OverflowError as error:  # a whole number larger than any float
        raise InvalidRequest.field(
            f"{place}.{name}", "a huge number", "it is too large", "Leave it out for 1."
        ) from error
