"""An engine: requests in progress, computed one decode step at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from quorate.errors import NotImplementedYet, QuorateError
from services.node.engine.constraints import as_grammar
from services.node.engine.logprobs import normalizers
from services.node.engine.messages import (
    Cancel,
    Counters,
    Delta,
    Embed,
    Finished,
    FinishReason,
    Generate,
    Progress,
    Refused,
    Sampling,
    Score,
    Step,
    Tokenize,
    Tokens,
)
from services.node.engine.plan import Admitted, Ended, Limits, Piece, Request, SampleKey
from services.node.engine.sampling import Sampler, is_plain_greedy
from services.node.engine.scheduler import Scheduler
from services.node.engine.speaker import Row, Speaker

if TYPE_CHECKING:
    from services.node.engine.guard import Guard
    from services.node.engine.llama import Context
    from services.node.engine.prompt import PromptReader
    from services.node.engine.vocabulary import Vocabulary


@dataclass(slots=True)
class _Job:
    """A request in progress. `first_sampler` is made early, to refuse a bad grammar at once."""

    sampling: Sampling
    prompt: list[int]
    arrived_seconds: float
    samples_left: int
    first_sampler: Sampler | None
    speakers: dict[int, Speaker] = field(default_factory=dict)


@dataclass(slots=True)
class _Report:
    """What a step has to say about one request."""

    prompt_tokens: int = 0
    deltas: list[Delta] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)


class Engine:
    """Owns a context. Synchronous; `clock` gives seconds that only grow.

    `guard` watches the work that a grammar asks for.
    """

    def __init__(
        self,
        context: Context,
        vocabulary: Vocabulary,
        reader: PromptReader,
        limits: Limits,
        guard: Guard,
        clock: Callable[[], float],
    ) -> None:
        self._context = context
        self._vocabulary = vocabulary
        self._reader = reader
        self._guard = guard
        self._clock = clock
        self._scheduler = Scheduler(limits)
        self._jobs: dict[int, _Job] = {}
        self._reports: dict[int, _Report] = {}
        self._decode_steps = 0
        self._generated_tokens = 0

    @property
    def idle(self) -> bool:
        """Whether a step would do nothing."""
        return self._scheduler.idle and not self._reports

    def handle(
        self, command: Generate | Score | Embed | Cancel | Tokenize
    ) -> Refused | Tokens | None:
        """Take a command; gives what has to be answered at once."""
        try:
            if isinstance(command, Generate):
                self._accept(command)
            elif isinstance(command, Cancel):
                self._scheduler.cancel(command.request_id)
            elif isinstance(command, Tokenize):
                return self._tokens(command)
            else:
                raise NotImplementedYet("scores and embeddings are not part of this version")
        except QuorateError as error:
            return Refused(
                command.request_id,
                error.kind,
                error.message,
                error.metadata,
                error.retry_after_seconds,
            )
        return None

    def step(self, threads: int) -> Step:
        """Compute one decode step and report it."""
        plan = self._scheduler.plan(self._clock())
        for admitted in plan.admitted:
            self._start(admitted)
        self._context.edit(plan.edits)
        for ended in plan.ended:
            self._end_early(ended)
        if plan.pieces:
            self._context.use_threads(threads)
            rows = self._context.decode(plan.pieces)
            self._decode_steps += 1
            self._draw([piece for piece in plan.pieces if piece.draws], rows)
        return Step(self._counters(), self._progress())

    def _accept(self, command: Generate) -> None:
        arrived = self._clock()
        prompt = self._reader.read(command.turns, command.prompt)
        with self._guard.watching(command.request_id):
            sampling = as_grammar(command.sampling)
            sampler = self._sampler(sampling, 0, prompt)
        request = Request(
            command.request_id,
            prompt,
            command.samples,
            sampling.max_tokens,
            command.priority,
            command.deadline,
        )
        try:
            self._scheduler.submit(request)
        except QuorateError:
            if sampler is not None:
                sampler.free()
            raise
        self._jobs[command.request_id] = _Job(sampling, prompt, arrived, command.samples, sampler)
        self._report(command.request_id).prompt_tokens = len(prompt)

    def _tokens(self, command: Tokenize) -> Tokens:
        tokens = self._reader.read(command.turns, command.text)
        text = self._reader.text_of(command.turns, command.text)
        return Tokens(command.request_id, tuple(tokens), text)

    def _sampler(self, sampling: Sampling, sample: int, prompt: list[int]) -> Sampler | None:
        if is_plain_greedy(sampling):
            return None
        return Sampler(self._vocabulary, sampling, sample, prompt)

    def _start(self, admitted: Admitted) -> None:
        request_id, sample = admitted.key
        job = self._jobs[request_id]
        if sample == 0:
            sampler, job.first_sampler = job.first_sampler, None
        else:
            with self._guard.watching(request_id):
                sampler = self._sampler(job.sampling, sample, job.prompt)
        job.speakers[sample] = Speaker(
            sample,
            job.sampling,
            sampler,
            self._vocabulary,
            admitted.cached_tokens,
            self._clock(),
        )

    def _draw(self, pieces: Sequence[Piece], rows: Sequence[int]) -> None:
        """Draw a token for every sample of the batch; what can be is done for all rows at once."""
        if not pieces:
            return
        logits = self._context.logits(len(pieces))
        normal = normalizers(logits).tolist()
        likeliest = logits.argmax(axis=1).tolist()
        now = self._clock()
        for index, (piece, row) in enumerate(zip(pieces, rows, strict=True)):
            read = Row(row, logits[index], normal[index], likeliest[index])
            for key in piece.draws:
                self._draw_one(key, read, now)

    def _draw_one(self, key: SampleKey, row: Row, now: float) -> None:
        job = self._jobs[key.request_id]
        speaker = job.speakers[key.sample]
        if job.sampling.grammar:
            with self._guard.watching(key.request_id):
                token = speaker.draw(self._context.pointer, row)
        else:
            token = speaker.draw(self._context.pointer, row)
        delta, stops = speaker.take(token, row, now)
        self._generated_tokens += 1
        reason = self._scheduler.advance(key, token, stop=stops, now_seconds=now)
        report = self._report(key.request_id)
        if delta is not None:
            report.deltas.append(delta)
        if reason is None:
            return
        if (delta is None or not stops) and (held := speaker.held_text()):
            report.deltas.append(Delta(key.sample, held, ()))
        self._finish(key, job, speaker, reason)

    def _end_early(self, ended: Ended) -> None:
        """Report a sample that was cancelled, perhaps before it had a slot."""
        job = self._jobs[ended.key.request_id]
        speaker = job.speakers.get(ended.key.sample) or Speaker(
            ended.key.sample, job.sampling, None, self._vocabulary, 0, self._clock()
        )
        self._finish(ended.key, job, speaker, ended.reason)

    def _finish(self, key: SampleKey, job: _Job, speaker: Speaker, reason: FinishReason) -> None:
        summary = speaker.finished(reason, len(job.prompt), job.arrived_seconds, self._clock())
        self._report(key.request_id).finished.append(summary)
        speaker.close()
        job.speakers.pop(key.sample, None)
        job.samples_left -= 1
        if not job.samples_left:
            if job.first_sampler is not None:
                job.first_sampler.free()
            del self._jobs[key.request_id]

    def _report(self, request_id: int) -> _Report:
        report = self._reports.get(request_id)
        if report is None:
            report = self._reports[request_id] = _Report()
        return report

    def _progress(self) -> tuple[Progress, ...]:
        reports, self._reports = self._reports, {}
        return tuple(
            Progress(request_id, report.prompt_tokens, tuple(report.deltas), tuple(report.finished))
            for request_id, report in reports.items()
        )

    def _counters(self) -> Counters:
        scheduler = self._scheduler
        return Counters(
            busy_slots=scheduler.busy_slots,
            queued=scheduler.queued,
            decode_steps=self._decode_steps,
            generated_tokens=self._generated_tokens,
            prefilled_tokens=scheduler.prefilled_tokens,
            cached_tokens=scheduler.cached_tokens,
            cancelled_samples=scheduler.cancelled_samples,
            threads=self._context.threads,
        )
