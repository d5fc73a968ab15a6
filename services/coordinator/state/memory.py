"""What the coordinator remembers, beside the event loop: read at once, written behind the answer.

The event loop owns what is in memory, a thread of its own the database. Answers never wait for it
and go on when it fails: what would have been learned is lost then, as the log and a metric say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple, Self

from quorate.errors import AlreadyExists, NotFound, NotReady, Overloaded
from quorate.records import read
from services.coordinator.state import lessons
from services.coordinator.state.backing import Backing
from services.coordinator.state.insight import Insight
from services.coordinator.state.items import judges_of
from services.coordinator.state.latencies import loaded, saved
from services.coordinator.state.learned import NO_CHANGES, Changes
from services.coordinator.state.learning import learn
from services.coordinator.state.recording import record_of
from services.coordinator.state.store import Lesson
from services.coordinator.state.writing import Answered, kept_of

if TYPE_CHECKING:
    from types import TracebackType

    from quorate.memory_settings import MemorySettings
    from quorate.metrics import Metrics
    from services.coordinator.outcome import Result
    from services.coordinator.question import Member, Question
    from services.coordinator.state.judgement import Judges
    from services.coordinator.state.latencies import Place
    from services.coordinator.state.latency import Latency
    from services.coordinator.state.learned import State
    from services.coordinator.state.lessons import Verdict
    from services.coordinator.state.store import Store
    from services.coordinator.state.topics import Classifier

MOST_WAITING = 2_000
"""Answers that wait to be written; of more, the newest are lost."""
GATHER_SECONDS = 0.1
"""Answers of so long go into one transaction."""
REFRESH_SECONDS = 5.0
"""So often what others learned is read, calibrators are fitted again and old records dropped."""
DAY_SECONDS = 86_400.0


class Snapshot(NamedTuple):
    """What a store holds, as of a revision."""

    revision: int
    state: State
    judges: Judges


class Memory:
    """A coordinator's memory for as long as the block lasts.

    `insight` answers at once what is known. `wall` gives the time of day in seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        settings: MemorySettings,
        classifier: Classifier,
        metrics: Metrics,
        wall: Callable[[], float],
        coordinator: str = "",
    ) -> None:
        self.insight = Insight(consensus=settings.learn_from_consensus)
        self.backing = Backing(store, metrics.learning_lost)
        self.classifier = classifier
        self._settings = settings
        self._wall = wall
        self._coordinator = coordinator
        self._waiting: list[Answered] = []
        self._arrived = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._revision = -1
        self._stopping = asyncio.Event()
        self._owner = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        """Read what is known; raises ConfigurationError for a database of another version."""
        what = "what was learned before is not known, and what is learned now"
        snapshot = await self.backing.attempt(self._snapshot, what, 1)
        if snapshot is not None:
            self._take(snapshot)
            known = await self.backing.attempt(self._durations, "how long models took", 1)
            self.insight.recall(known or {})
        await self._owner.__aenter__()
        self._owner.create_task(self._write_behind())
        self._owner.create_task(self._refresh_now_and_then())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._arrived.set()
        await self._owner.__aexit__(None, None, None)
        await self._flush()
        durations = dict(self.insight.latencies)
        await self.backing.attempt(
            lambda store: saved(store, self._coordinator, durations), "how long models took", 1
        )
        await self.backing.attempt(lambda store: store.close(), "an open database", 0)
        self.backing.close()

    def _durations(self, store: Store) -> dict[Place, Latency]:
        return dict(loaded(store, self._coordinator))

    def _snapshot(self, store: Store) -> Snapshot:
        revision = store.revision()
        return Snapshot(revision, store.load(), judges_of(store, self._today()))

    def _take(self, snapshot: Snapshot) -> None:
        self._revision = snapshot.revision
        self.insight.take(snapshot.state, snapshot.judges)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._wall(), UTC).date()

    async def remember(self, question: Question, members: Sequence[Member], result: Result) -> None:
        """Keep an answer's record and learn from it behind the answer; never raises.

        A question with its ground truth has taught when this returns.
        """
        if not question.frozen:
            self.insight.timed(result)
        if len(self._waiting) >= MOST_WAITING:
            self.backing.gave_up("an answer", 1, Overloaded("answers come faster than they go"))
            return
        self._waiting.append(Answered(question, tuple(members), result, self._wall()))
        self._arrived.set()
        if question.ground_truth and not question.frozen:
            await self.flush()

    async def _write_behind(self) -> None:
        while not self._stopping.is_set():
            await self._arrived.wait()
            self._arrived.clear()
            await asyncio.sleep(GATHER_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write all that waits. A caller that goes away takes nobody else's answers with it."""
        await asyncio.shield(self._owner.create_task(self._flush()))

    async def _flush(self) -> None:
        async with self._flushing:
            batch, self._waiting = self._waiting, []
            if not batch:
                return
            changes = await self.backing.attempt(
                lambda store: self._write(store, batch), "what answers teach", len(batch)
            )
            self._learned(changes)

    def _write(self, store: Store, batch: Sequence[Answered]) -> Changes:
        """Keep records and learn from them; in the thread."""
        settings = self._settings
        full = [record_of(*answered, texts=True) for answered in batch]
        changes = NO_CHANGES
        for record in full:
            if not record.frozen:
                changes = changes.plus(lessons.agreement(record))
                if settings.learn_from_consensus:
                    changes = changes.plus(lessons.consensus(record))
        if settings.record_texts:
            kept = [kept_of(record) for record in full]
        else:
            kept = [kept_of(record_of(*answered, texts=False)) for answered in batch]
        store.keep(kept if settings.records else (), changes)
        for answered, record in zip(batch, full, strict=True):
            question = answered.question
            if question.ground_truth and not question.frozen:
                verdict = lessons.Verdict(question.ground_truth)
                taught = lessons.taught(record, verdict)
                lesson = Lesson(record.question_id, record.at_seconds, verdict.said, taught)
                if store.teach(lesson).new:
                    changes = changes.plus(taught)
        return changes

    def _learned(self, changes: Changes | None) -> None:
        if changes and any(changes):
            state = learn(self.insight.state, changes, self._settings.half_life)
            self.insight.take(state, self.insight.judges)

    async def feedback(self, question_id: str, verdict: Verdict) -> tuple[str, ...]:
        """Learn from an earlier answer; gives the models whose reliability changed by it.

        The same feedback again changes nothing and gives the same models. Raises InvalidRequest for
        empty feedback, NotFound for an answer that is not kept (any more), NotReady for one of a
        frozen question, AlreadyExists when other feedback was given before, and Unavailable.
        """
        lessons.check(verdict)
        await self.flush()
        async with self._flushing:
            models, changes = await self.backing.run(
                lambda store: self._teach(store, question_id, verdict)
            )
            self._learned(changes)
        return models

    def _teach(
        self, store: Store, question_id: str, verdict: Verdict
    ) -> tuple[tuple[str, ...], Changes]:
        body = store.record(question_id)
        if body is None:
            raise NotFound(self._not_kept(question_id), metadata={"question_id": question_id})
        record = read(body)
        if record.frozen:
            raise NotReady(
                f"{question_id} was asked as frozen: what is evaluated teaches nothing",
                metadata={"question_id": question_id},
            )
        changes = lessons.taught(record, verdict)
        taught = store.teach(Lesson(question_id, self._wall(), verdict.said, changes))
        if taught.said != verdict.said:
            raise AlreadyExists(
                f"{question_id} has taught already, by other feedback; the first one stays",
                metadata={"question_id": question_id},
            )
        return taught.models, changes if taught.new else NO_CHANGES

    def _not_kept(self, question_id: str) -> str:
        settings = self._settings
        if not settings.records:
            return f"No answer is kept, so {question_id!r} is not: `records` is 0 in the settings."
        return (
            f"No answer is kept of {question_id!r}. The last {settings.records} are, for "
            f"{settings.record_days:g} days; question_id stands in every result."
        )

    async def record(self, question_id: str) -> bytes:
        """Give the record of an answer, as JSON; raises NotFound."""
        await self.flush()
        body = await self.backing.run(lambda store: store.record(question_id))
        if body is None:
            raise NotFound(self._not_kept(question_id), metadata={"question_id": question_id})
        return body

    async def _refresh_now_and_then(self) -> None:
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._stopping.wait()
            except TimeoutError:
                await self.refresh()

    async def refresh(self) -> None:
        """Read what others learned, fit calibrators again, drop what is too much or too old."""
        async with self._flushing:
            snapshot = await self.backing.attempt(self._renewed, "what others learned", 0)
            if snapshot is not None:
                self._take(snapshot)

    def _renewed(self, store: Store) -> Snapshot | None:
        oldest = self._wall() - self._settings.record_days * DAY_SECONDS
        store.prune(self._settings.records, oldest)
        return None if store.revision() == self._revision else self._snapshot(store)
