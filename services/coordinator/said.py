"""What one member has said so far, sample by sample, and the ballot that becomes of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from quorate.answers import Answer, Kind, extract
from quorate.errors import DeadlineExceeded, InternalError, QuorateError
from services.coordinator.question import Ballot, Member, Seat, Seconds, Status, Tokens

LONGEST_TEXT = 1 << 20
"""Characters of one sample; a node that says more is out of its mind."""


class Ending(NamedTuple):
    """How a sample ended, as the node tells it."""

    tokens: Tokens = Tokens()
    queue_seconds: float = 0.0
    mean_logprob: float = 0.0


@dataclass
class Sample:
    """One sample while it grows; `tokens` counts those with a log-probability."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    tokens: int = 0
    first_at: float | None = None
    ended_at: float | None = None
    ending: Ending | None = None


TextHeard = Callable[[int, str], Awaitable[None]]
SampleEnded = Callable[[int], None]


class Said:
    """One call's growing record, written by its caller alone.

    `on_text` is awaited with every piece of text (None: nobody reads along), `on_end` is told
    about every sample that ended. `clock` gives seconds.
    """

    def __init__(
        self,
        member: Member,
        samples: int,
        clock: Callable[[], float],
        on_text: TextHeard | None,
        on_end: SampleEnded,
    ) -> None:
        self.member = member
        self.samples = [Sample() for _ in range(samples)]
        self.sha256 = member.sha256
        self.seed = 0
        self.started_at = clock()
        self.load_seconds = 0.0
        self.on_text = on_text
        self._clock = clock
        self._on_end = on_end

    @property
    def has_tokens(self) -> bool:
        """Whether anything was said: from then on a second try could say it twice."""
        return any(sample.first_at is not None for sample in self.samples)

    @property
    def unfinished(self) -> list[int]:
        """The samples that have not ended."""
        return [number for number, sample in enumerate(self.samples) if sample.ending is None]

    def begin(self, seed: int, sha256: str) -> None:
        """Note what the model draws with and which file it is."""
        self.seed, self.sha256 = seed, sha256 or self.sha256

    def add(self, number: int, text: str, tokens: int, held_seconds: float = 0.0) -> None:
        """Note more text, which the node held back for so long.

        Raises InternalError for a sample nobody asked for or one without end.
        """
        sample = self._sample(number)
        if sample.first_at is None:
            sample.first_at = max(self.started_at, self._clock() - held_seconds)
        sample.pieces.append(text)
        sample.tokens += tokens
        sample.length += len(text)
        if sample.length > LONGEST_TEXT:
            raise InternalError(
                f"{self._who()} said more than {LONGEST_TEXT} characters; it was stopped"
            )

    def end(self, number: int, ending: Ending) -> None:
        """Note that a sample ended; a second ending changes nothing."""
        sample = self._sample(number)
        if sample.ending is not None:
            return
        sample.ending, sample.ended_at = ending, self._clock()
        self._on_end(number)

    def text(self, number: int) -> str:
        """All that a sample says."""
        return "".join(self.samples[number].pieces)

    def _sample(self, number: int) -> Sample:
        if not 0 <= number < len(self.samples):
            raise InternalError(
                f"{self._who()} answered with sample {number} of {len(self.samples)} asked for"
            )
        return self.samples[number]

    def _who(self) -> str:
        return f"{self.member.model} on {self.member.node}"

    def cut_short(self) -> InternalError:
        """Describe an answer stream that ended before its samples did."""
        return InternalError(f"{self._who()} ended its answer before it was complete")

    def seconds(self, number: int) -> Seconds:
        """Where the time of a sample went, until now if it has not ended."""
        sample = self.samples[number]
        stop = self._clock() if sample.ended_at is None else sample.ended_at
        first = 0.0 if sample.first_at is None else sample.first_at - self.started_at
        queued = sample.ending.queue_seconds if sample.ending else 0.0
        return Seconds(queued, first, stop - self.started_at, self.load_seconds)


class Asked(NamedTuple):
    """What a ballot answers: the question, and the type of answer that counts (None: any).

    `known` remembers what was read from a text: several models often say the same.
    """

    question: str
    kind: Kind | None
    known: dict[str, Answer | None]

    def answer_in(self, text: str) -> Answer | None:
        """Read the answer in a text, once for each text; None: there is none."""
        if text not in self.known:
            self.known[text] = extract(text, self.kind, question=self.question)
        return self.known[text]


def finished_ballot(part_id: str, seat: Seat, said: Said, asked: Asked, weight: float) -> Ballot:
    """Make the ballot of a sample that ended: VALID with an answer, ABSTAINED without one."""
    sample = said.samples[seat.sample]
    ending = sample.ending or Ending()
    text = said.text(seat.sample)
    answer = asked.answer_in(text)
    sure = confidence(ending.mean_logprob, sample.tokens)
    return Ballot(
        part_id,
        seat,
        Status.ABSTAINED if answer is None else Status.VALID,
        said.member.node,
        answer,
        text,
        sure,
        ending.mean_logprob if math.isfinite(ending.mean_logprob) else 0.0,
        weight,
        said.sha256,
        said.seed + seat.sample,
        ending.tokens,
        said.seconds(seat.sample),
        raw_confidence=sure,
    )


def lost_ballot(
    part_id: str, seat: Seat, said: Said | None, weight: float, error: QuorateError | None
) -> Ballot:
    """Make the ballot of a sample that did not end: failed, timed out, or cancelled (no error)."""
    status = Status.FAILED if error else Status.CANCELLED
    if isinstance(error, DeadlineExceeded):
        status = Status.TIMED_OUT
    if said is None:  # cancelled before its call was made
        return Ballot(part_id, seat, status, seat.node, weight=weight, error=error)
    produced = said.samples[seat.sample].tokens
    return Ballot(
        part_id,
        seat,
        status,
        said.member.node,
        text=said.text(seat.sample),
        weight=weight,
        sha256=said.sha256,
        seed=said.seed + seat.sample,
        tokens=Tokens(completion=produced),
        seconds=said.seconds(seat.sample),
        error=error,
    )


def confidence(mean_logprob: float, tokens: int) -> float:
    """Give the geometric mean of the token probabilities, in [0, 1].

    0 when the node reported no log-probabilities, or nonsense. Not comparable across models until
    it is calibrated.
    """
    if tokens == 0 or math.isnan(mean_logprob):
        return 0.0
    return min(1.0, math.exp(min(0.0, mean_logprob)))
