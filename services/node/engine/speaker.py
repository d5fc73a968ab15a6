"""One sample while it is generated: its sampler, its text, its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from services.node.engine.confidence import Confidence
from services.node.engine.logprobs import Rows, likeliest
from services.node.engine.messages import Delta, Finished, FinishReason, Sampling, TokenChoice
from services.node.engine.text import TextStream

if TYPE_CHECKING:
    import ctypes

    from services.node.engine.sampling import Sampler
    from services.node.engine.vocabulary import Vocabulary


class Row(NamedTuple):
    """The logits that a token is drawn from: their place in the batch, and what is known."""

    position: int
    logits: Rows
    normalizer: float
    likeliest: int


class Taken(NamedTuple):
    """What a token added for the reader, if anything, and whether it ends the sample."""

    delta: Delta | None
    stops: bool


class Speaker:
    """Draws one sample's tokens and turns them into deltas. `sampler` None takes the likeliest."""

    def __init__(
        self,
        sample: int,
        sampling: Sampling,
        sampler: Sampler | None,
        vocabulary: Vocabulary,
        cached_tokens: int,
        admitted_seconds: float,
    ) -> None:
        self._sample = sample
        self._top = sampling.top_logprobs
        self._sampler = sampler
        self._vocabulary = vocabulary
        self._text = TextStream(sampling.stop)
        self._confidence = Confidence()
        self._tokens = 0
        self._cached_tokens = cached_tokens
        self._admitted_seconds = admitted_seconds
        self._first_token_seconds: float | None = None

    def draw(self, context: ctypes.c_void_p, row: Row) -> int:
        """Draw the next token."""
        if self._sampler is None:
            return row.likeliest
        return self._sampler.draw(context, row.position)

    def take(self, token: int, row: Row, now_seconds: float) -> Taken:
        """Add a drawn token. A token that ends the turn counts for the confidence only."""
        if self._first_token_seconds is None:
            self._first_token_seconds = now_seconds
        logprob = min(0.0, float(row.logits[token]) - row.normalizer)
        top = self._alternatives(row) if self._top else ()
        self._confidence.add(logprob, [choice.logprob for choice in top])
        if self._vocabulary.ends(token):
            return Taken(None, True)
        self._tokens += 1
        said = self._text.push(self._vocabulary.piece(token))
        choice = TokenChoice(token, said.token_text, logprob, top)
        return Taken(Delta(self._sample, said.shown, (choice,)), said.stopped)

    def held_text(self) -> str:
        """Give the text that was held back, when the sample ends without a stop text."""
        return self._text.finish()

    def finished(
        self, reason: FinishReason, prompt_tokens: int, arrived: float, now_seconds: float
    ) -> Finished:
        """Sum the sample up. The prompt is counted with sample 0 only."""
        first = self._first_token_seconds
        return Finished(
            sample=self._sample,
            reason=reason,
            prompt_tokens=prompt_tokens if self._sample == 0 else 0,
            completion_tokens=self._tokens,
            cached_prompt_tokens=self._cached_tokens,
            queue_seconds=self._admitted_seconds - arrived,
            first_token_seconds=0.0 if first is None else first - arrived,
            total_seconds=now_seconds - arrived,
            mean_logprob=self._confidence.mean_logprob,
            lowest_group_confidence=self._confidence.lowest_group,
        )

    def close(self) -> None:
        """Give the sampler's memory back."""
        if self._sampler is not None:
            self._sampler.free()
            self._sampler = None

    def _alternatives(self, row: Row) -> tuple[TokenChoice, ...]:
        return tuple(
            TokenChoice(
                token,
                self._vocabulary.piece(token).decode("utf-8", "replace"),
                min(0.0, float(row.logits[token]) - row.normalizer),
            )
            for token in likeliest(row.logits, self._top).tolist()
        )
