"""What is measured of models' work: the counters of their engines, and each request on its own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from quorate.errors import InternalError, QuorateError
from services.node.engine.messages import FinishReason

if TYPE_CHECKING:
    from quorate.config import ModelSettings
    from quorate.metrics import Metrics
    from services.node.engine.messages import Counters, Finished, Progress
    from services.node.requests import Order
    from services.node.supervisor import AnyModel

NO_MODEL: Final = ""
"""The label of requests that name no model of this node: their names are not ours to bound."""
CANCELLED: Final = FinishReason.CANCELLED.name.lower()
FAILED: Final = "failed"
REASONS: Final = (*(reason.name.lower() for reason in FinishReason), FAILED)


class Engine(Protocol):
    """What is looked up of an engine, from the thread that serves a scrape."""

    @property
    def counters(self) -> Counters:
        """What it has done and does now."""

    @property
    def requests_in_flight(self) -> int:
        """Requests that it holds."""


class Watched(Protocol):
    """What is looked up of a model."""

    @property
    def settings(self) -> ModelSettings:
        """Its name and slots."""

    @property
    def running(self) -> Sequence[Engine]:
        """Its engines that can take requests."""


class ModelMeter:
    """The metrics of one model, looked up once: a look-up costs as much as an observation."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        self.first_token = metrics.generate_time_to_first_token_seconds.labels(model)
        self.between_tokens = metrics.inter_token_seconds.labels(model)
        self.queued = metrics.queue_seconds.labels(model)
        self.whole = metrics.generate_seconds.labels(model)
        self.samples = {reason: metrics.samples.labels(model, reason) for reason in REASONS}
        self.candidates = metrics.candidates_scored.labels(model)
        self.texts = metrics.texts_embedded.labels(model)
        self._steps = metrics.decode_steps.labels(model)
        self._batch = metrics.decode_batch_samples.labels(model)
        self._completion = metrics.tokens.labels(model, "completion")
        self._rarely = [
            (metrics.tokens.labels(model, "prompt"), "prefilled_tokens"),
            (metrics.tokens.labels(model, "cached"), "cached_tokens"),
            (metrics.prefix_cache_query_tokens.labels(model), "prefix_query_tokens"),
            (metrics.prefix_cache_hit_tokens.labels(model), "prefix_hit_tokens"),
        ]

    def observe(self, before: Counters, after: Counters) -> None:
        """Count what an engine did: one or two microseconds for a step that only decodes."""
        steps = after.decode_steps - before.decode_steps
        self._steps.inc(steps)
        samples = after.generated_tokens - before.generated_tokens
        if samples:
            self._completion.inc(samples)
            for _ in range(max(1, steps)):  # some steps are told together
                self._batch.observe(samples / max(1, steps))
        for counter, name in self._rarely:
            gained = getattr(after, name) - getattr(before, name)
            if gained:
                counter.inc(gained)


class RequestMeter:
    """Measures one request to generate; `arrived` is a reading of the monotonic clock."""

    def __init__(self, model: ModelMeter, arrived: float, samples: int) -> None:
        self._model = model
        self._arrived = arrived
        self._unfinished = samples
        self._accepted = False
        self._spoke = False
        self._last = arrived

    def add(self, progress: Progress) -> None:
        """Count what one message of the engine says. Its tokens are timed together, not each."""
        self._accepted = True
        if progress.deltas:
            tokens = max(len(delta.tokens) for delta in progress.deltas)
            if tokens:
                self._time(tokens, time.monotonic())
        for finished in progress.finished:
            self._finish(finished)

    def give_up(self, reason: str) -> None:
        """Count the samples that never ended; those that were refused had not begun."""
        if self._unfinished and (self._accepted or reason == CANCELLED):
            self._model.samples[reason].inc(self._unfinished)

    def _time(self, tokens: int, now: float) -> None:
        if self._spoke:
            self._model.between_tokens.observe((now - self._last) / tokens)
        else:
            self._spoke = True
            self._model.first_token.observe(now - self._arrived)
        self._last = now

    def _finish(self, finished: Finished) -> None:
        self._unfinished -= 1
        self._model.samples[finished.reason.name.lower()].inc()
        self._model.queued.observe(finished.queue_seconds)
        self._model.whole.observe(time.monotonic() - self._arrived)


class Meters:
    """The meters of a node's models. Owned by the node's event loop."""

    def __init__(self, metrics: Metrics, models: Iterable[str]) -> None:
        self._metrics = metrics
        self._models = {model: ModelMeter(metrics, model) for model in models}
        self.outcomes = {
            outcome: metrics.deliberations.labels(outcome)
            for outcome in ("agreed", "disagreed", "failed")
        }

    def of(self, model: str) -> ModelMeter:
        """Give the meter of one of the node's models."""
        return self._models[model]

    def observe(self, model: str, before: Counters, after: Counters) -> None:
        """Count what one step of a model's engine did."""
        self._models[model].observe(before, after)

    @contextmanager
    def errors(self, model: str = NO_MODEL) -> Iterator[None]:
        """Count the error that a request ends with. `model` is the name that its caller gave."""
        try:
            yield
        except Exception as error:
            label = model if model in self._models else NO_MODEL
            kind = error.kind if isinstance(error, QuorateError) else InternalError.kind
            self._metrics.request_errors.labels(label, kind).inc()
            raise

    @contextmanager
    def generation(self, order: Order, arrived: float) -> Iterator[RequestMeter]:
        """Measure a request to generate until it ends, is given up or fails."""
        meter = RequestMeter(self._models[order.model], arrived, order.samples)
        reason = CANCELLED
        try:
            yield meter
        except Exception:
            reason = FAILED
            raise
        finally:
            meter.give_up(reason)

    def watch(self, models: Iterable[AnyModel]) -> None:
        """Have what engines are doing looked up whenever it is scraped, from another thread."""
        for model in models:
            self._watch(model, model.settings.name)

    def _watch(self, model: AnyModel, name: str) -> None:
        metrics, slots = self._metrics, model.settings.slots

        def now(field: str) -> int:
            return sum(getattr(engine.counters, field) for engine in model.running)

        def used() -> float:
            pool = now("kv_pool_tokens")
            return now("kv_used_tokens") / pool if pool else 0.0

        def free() -> float:
            return slots * len(model.running) - now("busy_slots")

        def in_flight() -> float:
            return sum(engine.requests_in_flight for engine in model.running)

        metrics.engine_slots.labels(name, "busy").set_function(lambda: now("busy_slots"))
        metrics.engine_slots.labels(name, "free").set_function(free)
        metrics.engine_queue.labels(name).set_function(lambda: now("queued"))
        metrics.requests_in_flight.labels(name).set_function(in_flight)
        metrics.kv_cache_usage_ratio.labels(name).set_function(used)
