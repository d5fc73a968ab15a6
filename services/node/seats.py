"""Who takes part in a deliberation, and with what order. Pure: a draft in, seats or errors out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from quorate.errors import InvalidRequest, QuorateError, nearest
from services.node.requests import Draft, Order, SamplingDraft, check_generate

if TYPE_CHECKING:
    from quorate.answers import Kind
    from services.node.engine.messages import ChatTurn
    from services.node.requests import ModelFacts

FEWEST_MODELS: Final = 2
MOST_MODELS: Final = 8


@dataclass(frozen=True)
class DeliberateDraft:
    """A request to deliberate, as the caller said it; `kind` None has it inferred."""

    models: Sequence[str] = ()
    turns: Sequence[ChatTurn] = ()
    sampling: SamplingDraft = field(default_factory=SamplingDraft)
    kind: Kind | None = None
    model_sha256: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0


@dataclass(frozen=True)
class Seat:
    """A model that takes part: its order, or the error for which it cannot answer now."""

    model: str
    sha256: str = ""
    order: Order | None = None
    error: QuorateError | None = None


def check_deliberate(
    draft: DeliberateDraft,
    known: Sequence[str],
    facts: Callable[[str], ModelFacts],
    seed: int,
) -> list[Seat]:
    """Check a request to deliberate among the models `known`; all draw with one seed.

    `seed` is for when the caller gave none. `facts` raises what hinders a model from answering:
    that is its seat's error, and so is another file than expected. Raises InvalidRequest for the
    rest.
    """
    names = _check_models(draft.models, known)
    if not draft.turns:
        raise InvalidRequest.field("messages", [], "they are required", "Send a question.")
    for name in draft.model_sha256:
        if name not in names:
            raise InvalidRequest.field(
                f"model_sha256[{name}]",
                draft.model_sha256[name],
                f"{name!r} takes no part",
                f"Expect files of {', '.join(names)}.",
            )
    return [_seat(name, draft, facts, seed) for name in names]


def _check_models(names: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    if not names and len(known) >= FEWEST_MODELS:
        return known[:FEWEST_MODELS]
    if not FEWEST_MODELS <= len(names) <= MOST_MODELS:
        raise InvalidRequest.field(
            "models",
            list(names),
            f"{FEWEST_MODELS} to {MOST_MODELS} models deliberate",
            f"Name some of this node's models.{nearest('', known)}",
        )
    for index, name in enumerate(names):
        if name not in known:
            raise InvalidRequest.field(
                f"models[{index}]",
                name,
                "this node has no such model",
                f"Name another.{nearest(name, known)}",
            )
        if name in names[:index]:
            raise InvalidRequest.field(
                f"models[{index}]", name, "it was named before", "Name each model once."
            )
    return names


def _seat(name: str, draft: DeliberateDraft, facts: Callable[[str], ModelFacts], seed: int) -> Seat:
    try:
        known = facts(name)
        order = check_generate(
            Draft(
                name,
                draft.turns,
                sampling=draft.sampling,
                model_sha256=draft.model_sha256.get(name, ""),
                priority=draft.priority,
            ),
            known,
            lambda: seed,
        )
    except InvalidRequest:
        raise
    except QuorateError as error:
        return Seat(name, error=error)
    return Seat(name, known.sha256, order)
