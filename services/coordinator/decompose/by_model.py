"""Splits a question by asking a model for JSON under a schema, once, and once more to mend it.

Pure but for `ask`, which the caller gives: it waits for a model. What the model proposes is
accepted only where `meaning` can show that nothing is lost; otherwise the question stays whole, and
the reason says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from quorate import prompts
from quorate.answers import Kind
from quorate.errors import Cancelled, QuorateError
from services.coordinator.decompose import meaning, proposal
from services.coordinator.decompose.describing import described
from services.coordinator.decompose.rules import reason_of, requests
from services.coordinator.decompose.splits import Split, SplitBy, whole
from services.coordinator.question import Drawing, Message

if TYPE_CHECKING:
    from services.coordinator.decompose.clauses import Clause
    from services.coordinator.decompose.dag import Subtask

SECONDS: Final = 20.0
"""What one reply may take; there are two at most."""
MOST_PROBLEMS_TOLD: Final = 5
LONGEST_SHOWN_AGAIN: Final = 2_500
"""Characters of a first reply that the model sees again; one that ran away teaches it nothing."""
MOST_TOKENS: Final = 1_536
"""Twelve parts of a sentence each; a context of 2,048 tokens has room for the question as well."""
_TOKENS_OF_A_PART: Final = 96
"""Tokens of a part's JSON but for its description: 53 in a vocabulary of 1,536 pieces, and room."""


class Ask(Protocol):
    """Asks a model; the coordinator gives one that calls a node."""

    async def __call__(self, messages: Sequence[Message], drawing: Drawing, seconds: float) -> str:
        """Give the text of a reply drawn as `drawing` says.

        Raises a QuorateError when there is none within `seconds`.
        """
        ...


async def by_model(question: str, ask: Ask) -> Split:
    """Split a question as a model proposes; it stays whole where that would lose meaning.

    Raises Cancelled when the caller withdrew; any other failure of the model is the reason that
    the question stays whole.
    """
    found = _askable(question)
    if isinstance(found, Split):
        return found
    wrong = ""
    try:
        said = [Message("user", prompts.split(question))]
        drawing = drawing_for(question, len(found))
        reply = await ask(said, drawing, SECONDS)
        made = judged(question, found, reply)
        if isinstance(made, Split):
            return made
        wrong = f"the model's split cannot be used: {made[0]}; asked again: "
        said += [Message("assistant", reply[:LONGEST_SHOWN_AGAIN]), _complaint(question, made)]
        made = judged(question, found, await ask(said, drawing, SECONDS))
    except Cancelled:
        raise
    except QuorateError as error:
        return whole(question, f"{wrong}the model could not be asked: {error.message}")
    return made if isinstance(made, Split) else whole(question, f"{wrong}{made[0]}")


def _askable(question: str) -> list[Clause] | Split:
    """Give a question's requests, or the question whole where no proposal could be accepted."""
    found = requests(question)
    if isinstance(found, Split):
        return found
    if reason := meaning.unsplittable(found):
        return whole(question, reason)
    if len(found) > proposal.MOST_PROPOSED:
        return whole(question, f"it has more than {proposal.MOST_PROPOSED} parts")
    return found


def _complaint(question: str, problems: Sequence[str]) -> Message:
    return Message("user", prompts.split_again(question, problems[:MOST_PROBLEMS_TOLD]))


def drawing_for(question: str, most_parts: int) -> Drawing:
    """Say how a proposal is drawn: greedy, under the schema, and no longer than it can be."""
    # Descriptions say what the question says, and a token has two characters or more on average.
    most = min(MOST_TOKENS, len(question) + _TOKENS_OF_A_PART * most_parts)
    return Drawing(
        temperature=0.0,
        max_tokens=most,
        constrained=True,
        json_schema=proposal.schema(most_parts),
    )


def judged(question: str, found: Sequence[Clause], reply: str) -> Split | tuple[str, ...]:
    """Give the split that a reply proposes, or what is wrong with it."""
    read = proposal.read(reply)
    if read.problems:
        return read.problems
    if len(read.parts) == 1:
        return whole(question, "the model sees one request in it")
    made = meaning.judge(question, found, read.parts)
    if made.problems:
        return made.problems
    parts = tuple(_typed(part) for part in made.parts)
    return Split(parts, f"a model split it: {reason_of(parts)}", SplitBy.MODEL)


def _typed(part: Subtask) -> Subtask:
    """Take the type of answer from the words where they tell it; a vote depends on it."""
    told = described(replace(part, expected=None))
    return replace(told, expected=part.expected) if told.expected is Kind.TEXT else told
