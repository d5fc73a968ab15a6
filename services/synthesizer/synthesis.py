"""The story of a merge: one part as it is, a model's text, or the plain list; and of a judgement.

A model's text is shown while it is written and checked when it is complete. If it does not hold
every part's answer in order, what was shown is withdrawn and the next model tries.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from quorate import prompts
from quorate.errors import ContextOverflow, QuorateError, Unavailable, UnusableReply, shorten
from quorate.quoting import quoted
from services.synthesizer import judge, merge
from services.synthesizer.draft import Draft

LONGEST_JUDGED = 12_000
"""Characters of an answer that a judge reads, of its beginning and its end."""


class Method(StrEnum):
    """How a merged answer was made."""

    SINGLE = "single"
    MODEL = "model"
    DETERMINISTIC = "deterministic"


@dataclass(frozen=True)
class Model:
    """A model that may write: the address and name of its node, and its own name."""

    address: str
    node: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} on {self.node}"


@dataclass(frozen=True)
class Tokens:
    """Tokens used."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
        )


class Writing(Protocol):
    """One attempt of one model. `tokens` and `cut_short` hold when the text has ended."""

    tokens: Tokens
    cut_short: str

    def pieces(self, prompt: str) -> AsyncGenerator[str, None]:
        """Stream what the model writes; raises errors of the catalogue. Closing it cancels."""
        ...


Write: TypeAlias = Callable[[Model], Writing]


@dataclass(frozen=True)
class Text:
    """More text of the merged answer."""

    text: str


@dataclass(frozen=True)
class Restart:
    """All text so far is withdrawn."""

    reason: str


@dataclass(frozen=True)
class Merged:
    """The whole merged answer. `passed_over` says why models were not taken."""

    text: str
    method: Method
    model: Model | None = None
    passed_over: tuple[QuorateError, ...] = ()
    tokens: Tokens = Tokens()


Event: TypeAlias = Text | Restart | Merged


async def synthesize(
    question: str, parts: Sequence[merge.Part], models: Sequence[Model], write: Write
) -> AsyncGenerator[Event, None]:
    """Stream a merged answer; the last event is Merged, and its text is all that was shown."""
    if len(parts) == 1 and not parts[0].failed:
        text = parts[0].answer.strip()
        yield Text(text)
        yield Merged(text, Method.SINGLE)
        return
    passed_over: list[QuorateError] = []
    tokens, prompt = Tokens(), merge.prompt(question, parts)
    # One answer beside failed parts leaves nothing to merge.
    writers = models if len(merge.answered(parts)) > 1 else ()
    if writers and (why := merge.too_long(parts)):
        passed_over.append(ContextOverflow(why))
        writers = ()
    for model in writers:
        writing, draft = write(model), Draft()
        try:
            async with aclosing(_shown(writing, prompt, draft)) as texts:
                async for text in texts:
                    yield Text(text)
            _check(draft.text, writing.cut_short, parts)
        except QuorateError as error:
            passed_over.append(_told_of(model, error))
            tokens += writing.tokens
            if draft.text:
                yield Restart(passed_over[-1].message)
            continue
        if behind := merge.failures_behind(parts):
            yield Text(behind)
        tokens += writing.tokens
        yield Merged(draft.text + behind, Method.MODEL, model, tuple(passed_over), tokens)
        return
    text = merge.deterministic(parts)
    yield Text(text)
    yield Merged(text, Method.DETERMINISTIC, None, tuple(passed_over), tokens)


async def _shown(writing: Writing, prompt: str, draft: Draft) -> AsyncGenerator[str, None]:
    """Stream what a model adds to a draft; raises UnusableReply when it does not end."""
    async with aclosing(writing.pieces(prompt)) as pieces:
        async for piece in pieces:
            if shown := draft.add(piece):
                yield shown
            draft.check_length()


def _check(text: str, cut_short: str, parts: Sequence[merge.Part]) -> None:
    """Raise UnusableReply when a model's text is not the whole answer."""
    if problem := cut_short or merge.problem_with(text, parts):
        raise UnusableReply(problem)


def _told_of(model: Model, error: QuorateError) -> QuorateError:
    """Say in an error which model it is about."""
    return type(error)(
        f"{model}: {error.message}",
        retry_after_seconds=error.retry_after_seconds,
        metadata=error.metadata,
    )


@dataclass(frozen=True)
class Judged:
    """A judgement and who gave it; nobody has to judge an empty answer."""

    judgement: judge.Judgement
    model: Model | None


async def judged(
    question: str, reference: str, answer: str, models: Sequence[Model], write: Write
) -> Judged:
    """Have the first model that gives a judgement judge an answer.

    Raises UnusableReply when none gives one, Unavailable when that may be different later.
    """
    if not answer.strip():
        return Judged(judge.Judgement(0.0, "The answer is empty."), None)
    # What is judged was written by a model, which may ask for a good mark.
    prompt = prompts.judge(question, reference, quoted(answer, LONGEST_JUDGED))
    passed_over: list[QuorateError] = []
    for model in models:
        try:
            return Judged(await _judgement(write(model), prompt), model)
        except QuorateError as error:
            passed_over.append(_told_of(model, error))
    reasons = "; ".join(error.message for error in passed_over)
    kind = Unavailable if any(error.retryable for error in passed_over) else UnusableReply
    raise kind(f"No model gave a judgement: {reasons}")


async def _judgement(writing: Writing, prompt: str) -> judge.Judgement:
    draft = Draft()
    async with aclosing(_shown(writing, prompt, draft)) as texts:
        async for _ in texts:
            pass
    judgement = judge.read(draft.text)
    if judgement is None:
        raise UnusableReply(f"{shorten(draft.text)} is no judgement")
    return judgement
