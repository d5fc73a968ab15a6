"""Requests in progress, by kind: what a job does with the steps that the scheduler plans for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from services.node.engine.messages import (
    CandidateScore,
    Delta,
    Embedded,
    Event,
    Finished,
    FinishReason,
    Progress,
    Refused,
    Sampling,
    Scored,
)
from services.node.engine.sampling import Sampler, is_plain_greedy
from services.node.engine.speaker import Row, Speaker

if TYPE_CHECKING:
    import ctypes

    from services.node.engine.guard import Guard
    from services.node.engine.logprobs import Rows
    from services.node.engine.plan import Admitted
    from services.node.engine.vocabulary import Vocabulary

GIVEN_UP = ("CANCELLED", "the request was given up, or its deadline has passed")


def _joined(deltas: Sequence[Delta]) -> Delta:
    """Make one delta of those of one sample, in their order."""
    if len(deltas) == 1:
        return deltas[0]
    tokens = tuple(token for delta in deltas for token in delta.tokens)
    return Delta(deltas[0].sample, "".join(delta.text for delta in deltas), tokens)


class Job(Protocol):
    """A request in progress. Times are seconds of one clock."""

    @property
    def guarded(self) -> bool:
        """Whether a draw may take long, and has to be watched."""

    @property
    def ended(self) -> bool:
        """Whether every sample has ended."""

    @property
    def urgent(self) -> bool:
        """Whether there is news that must not wait for more."""

    def start(self, admitted: Admitted, now: float) -> None:
        """Take note that a sample has got a slot."""

    def draw(self, sample: int, context: ctypes.c_void_p, row: Row, now: float) -> tuple[int, bool]:
        """Give a sample's next token, and whether it ends the sample."""

    def end(self, sample: int, reason: FinishReason, now: float) -> None:
        """Take note that a sample has ended; CANCELLED also before it had a slot."""

    def report(self) -> Progress | None:
        """Give what happened since the last call, when it belongs into the step's message."""

    def answer(self) -> Event | None:
        """Give the answer of an ended job whose answer is a message of its own."""

    def close(self) -> None:
        """Give memory back; the job is not used after that."""


@dataclass(slots=True)
class GenerateJob:
    """Samples that speak. `first_sampler` is made early: a bad grammar is refused at once."""

    request_id: int
    sampling: Sampling
    prompt: Sequence[int]
    samples: int
    arrived: float
    vocabulary: Vocabulary
    guard: Guard
    first_sampler: Sampler | None = None
    urgent: bool = True
    _speakers: dict[int, Speaker] = field(default_factory=dict)
    _told_prompt: bool = False
    _deltas: dict[int, list[Delta]] = field(default_factory=dict)
    _heard: set[int] = field(default_factory=set)
    _finished: list[Finished] = field(default_factory=list)

    @property
    def guarded(self) -> bool:
        """A grammar may take for ever."""
        return bool(self.sampling.grammar)

    @property
    def ended(self) -> bool:
        """Whether every sample has ended."""
        return self.samples == 0

    def prepare(self) -> None:
        """Make the first sample's sampler; raises InvalidRequest for a grammar that is none."""
        self.first_sampler = self._sampler(0)

    def _sampler(self, sample: int) -> Sampler | None:
        if is_plain_greedy(self.sampling):
            return None
        with self.guard.watching(self.request_id):
            return Sampler(self.vocabulary, self.sampling, sample, self.prompt)

    def start(self, admitted: Admitted, now: float) -> None:
        """Give the sample a speaker."""
        sample = admitted.key.sample
        if sample == 0:
            sampler, self.first_sampler = self.first_sampler, None
        else:
            sampler = self._sampler(sample)
        self._speakers[sample] = self._speaker(sample, sampler, admitted.cached_tokens, now)

    def _speaker(self, sample: int, sampler: Sampler | None, cached: int, now: float) -> Speaker:
        return Speaker(sample, self.sampling, sampler, self.vocabulary, cached, now)

    def draw(self, sample: int, context: ctypes.c_void_p, row: Row, now: float) -> tuple[int, bool]:
        """Draw a token, and say what it adds."""
        speaker = self._speakers[sample]
        token = speaker.draw(context, row)
        delta, stops = speaker.take(token, row, now)
        if delta is not None:
            self._add(delta)
        return token, stops

    def _add(self, delta: Delta) -> None:
        known = self._deltas.get(delta.sample)
        if known is not None:
            known.append(delta)
            return
        self._deltas[delta.sample] = [delta]
        if delta.sample not in self._heard:
            self._heard.add(delta.sample)
            self.urgent = True  # somebody waits for a first token

    def end(self, sample: int, reason: FinishReason, now: float) -> None:
        """Say what was held back, and sum the sample up."""
        speaker = self._speakers.pop(sample, None) or self._speaker(sample, None, 0, now)
        if reason is not FinishReason.CANCELLED and (held := speaker.held_text()):
            self._add(Delta(sample, held, ()))
        self.urgent = True
        self._finished.append(speaker.finished(reason, len(self.prompt), self.arrived, now))
        speaker.close()
        self.samples -= 1

    def report(self) -> Progress | None:
        """Give the deltas and the ends since the last call, and once how long the prompt is."""
        if self._told_prompt and not self._deltas and not self._finished:
            return None
        prompt_tokens = 0 if self._told_prompt else len(self.prompt)
        self._told_prompt, self.urgent = True, False
        deltas, self._deltas = tuple(map(_joined, self._deltas.values())), {}
        finished, self._finished = tuple(self._finished), []
        return Progress(self.request_id, prompt_tokens, deltas, finished)

    def answer(self) -> None:
        """All is said in the steps."""

    def close(self) -> None:
        """Give the samplers' memory back."""
        if self.first_sampler is not None:
            self.first_sampler.free()
            self.first_sampler = None
        for speaker in self._speakers.values():
            speaker.close()


@dataclass(slots=True)
class ScoreJob:
    """Candidates that are spoken as they are: each is a sample whose tokens are known."""

    request_id: int
    prompt: Sequence[int]
    candidates: Sequence[Sequence[int]]
    _logprobs: list[float] = field(default_factory=list)
    _spoken: list[int] = field(default_factory=list)
    _cached_tokens: int = 0
    _ended: int = 0
    _given_up: bool = False

    guarded = False
    urgent = False

    def __post_init__(self) -> None:
        self._logprobs = [0.0] * len(self.candidates)
        self._spoken = [0] * len(self.candidates)

    @property
    def ended(self) -> bool:
        """Whether every candidate has been scored."""
        return self._ended == len(self.candidates)

    def start(self, admitted: Admitted, now: float) -> None:
        """Take note of what the first candidate found computed."""
        if admitted.key.sample == 0:
            self._cached_tokens = admitted.cached_tokens

    def draw(self, sample: int, context: ctypes.c_void_p, row: Row, now: float) -> tuple[int, bool]:
        """Give the candidate's next token, and add its log-probability."""
        tokens, spoken = self.candidates[sample], self._spoken[sample]
        token = tokens[spoken]
        self._logprobs[sample] += min(0.0, float(row.logits[token]) - row.normalizer)
        self._spoken[sample] = spoken + 1
        return token, spoken + 1 == len(tokens)

    def end(self, sample: int, reason: FinishReason, now: float) -> None:
        """Count the candidate."""
        self._ended += 1
        self._given_up = self._given_up or reason is FinishReason.CANCELLED

    def report(self) -> None:
        """Nothing is said before the end."""

    def answer(self) -> Event | None:
        """Give all scores, in the order of the candidates."""
        if self._given_up:
            return Refused(self.request_id, *GIVEN_UP, {})
        scores = tuple(
            CandidateScore(logprob, len(tokens))
            for logprob, tokens in zip(self._logprobs, self.candidates, strict=True)
        )
        return Scored(self.request_id, scores, len(self.prompt), self._cached_tokens)

    def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class EmbedJob:
    """Texts that are embedded one after the other: the mean over the tokens, of unit length."""

    request_id: int
    texts: Sequence[Sequence[int]]
    _vectors: list[bytes] = field(default_factory=list)
    _sum: Rows | None = None
    _given_up: bool = False

    guarded = False
    urgent = False

    @property
    def ended(self) -> bool:
        """Whether every text is embedded."""
        return self._given_up or len(self._vectors) == len(self.texts)

    @property
    def next_text(self) -> Sequence[int]:
        """The tokens of the text whose turn it is."""
        return self.texts[len(self._vectors)]

    def add(self, rows: Rows) -> None:
        """Add the embeddings of some of the text's tokens (tokens × width)."""
        total = rows.sum(axis=0)
        self._sum = total if self._sum is None else self._sum + total

    def start(self, admitted: Admitted, now: float) -> None:
        """Begin with nothing."""
        self._sum = None

    def draw(self, sample: int, context: ctypes.c_void_p, row: Row, now: float) -> tuple[int, bool]:
        """Refuse: the text is at its end, and nothing is drawn."""
        raise RuntimeError("nothing is drawn for an embedding")

    def end(self, sample: int, reason: FinishReason, now: float) -> None:
        """Finish the vector."""
        if reason is FinishReason.CANCELLED or self._sum is None:
            self._given_up = True
            return
        length = float(np.linalg.norm(self._sum))
        unit = self._sum / length if length else self._sum
        self._vectors.append(unit.astype("<f4").tobytes())

    def report(self) -> None:
        """Nothing is said before the end."""

    def answer(self) -> Event | None:
        """Give all vectors, in the order of the texts."""
        if self._given_up:
            return Refused(self.request_id, *GIVEN_UP, {})
        tokens = sum(len(text) for text in self.texts)
        return Embedded(self.request_id, tuple(self._vectors), tokens)

    def close(self) -> None:
        """Nothing is held."""
