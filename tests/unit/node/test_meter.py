"""What is measured of a request and of an engine's steps, whatever their end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from quorate.config import ModelSettings
from quorate.errors import ModelCrashed, Overloaded
from quorate.metrics import Metrics
from services.node.engine.messages import (
    Counters,
    Delta,
    Finished,
    FinishReason,
    Progress,
    TokenChoice,
)
from services.node.meter import Meters
from services.node.requests import Draft, ModelFacts, Order, check_generate

FACTS = ModelFacts("atlas", "ab" * 32, 2048, 1536, 72)
SPOKE = Progress(1, 0, (Delta(0, "x", (TokenChoice(1, "x", -0.1),)),))


def order(samples: int = 1) -> Order:
    return check_generate(Draft("atlas", prompt="x", samples=samples), FACTS, lambda: 0)


def ended(sample: int = 0, reason: FinishReason = FinishReason.STOP) -> Progress:
    summary = Finished(sample, reason, 4, 2, 0, 0.25, 0.1, 0.2, -0.5, 0.0)
    return Progress(1, 0, (), (summary,))


class Measured:
    """Meters of one model, and what they have counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.meters = Meters(Metrics(self.registry), ["atlas"])

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"quorate_{name}", {"model": "atlas", **labels})

    def samples(self) -> dict[str, float]:
        reasons = ("stop", "length", "context_full", "cancelled", "failed")
        found = {reason: self.value("samples_total", reason=reason) for reason in reasons}
        return {reason: count for reason, count in found.items() if count}


@pytest.fixture
def measured() -> Measured:
    return Measured()


def test_a_request_is_timed_to_its_first_token_between_steps_and_to_its_end(measured) -> None:
    with measured.meters.generation(order(), 0.0) as meter:
        for progress in (Progress(1, 4), SPOKE, SPOKE, SPOKE, ended()):
            meter.add(progress)
    assert measured.value("generate_time_to_first_token_seconds_count") == 1
    assert measured.value("inter_token_seconds_count") == 2
    assert measured.value("generate_seconds_count") == 1
    assert measured.value("queue_seconds_sum") == 0.25
    assert measured.samples() == {"stop": 1}


def test_tokens_that_were_read_together_share_their_time(measured, monkeypatch) -> None:
    now = iter([10.0, 16.0])
    monkeypatch.setattr("services.node.meter.time.monotonic", lambda: next(now))
    token = TokenChoice(1, "x", -0.1)
    with measured.meters.generation(order(), 0.0) as meter:
        meter.add(SPOKE)
        meter.add(Progress(1, 0, (Delta(0, "xxx", (token, token, token)),)))
    assert measured.value("inter_token_seconds_sum") == 2.0


def test_text_without_a_token_is_no_step(measured) -> None:
    with measured.meters.generation(order(), 0.0) as meter:
        meter.add(SPOKE)
        meter.add(Progress(1, 0, (Delta(0, "held", ()),)))
    assert measured.value("inter_token_seconds_count") == 0


def give_up(measured: Measured, samples: int, progress: Progress, error: BaseException) -> None:
    with measured.meters.generation(order(samples), 0.0) as meter:
        meter.add(progress)
        raise error


def test_samples_that_never_ended_are_counted_by_why(measured) -> None:
    with pytest.raises(asyncio.CancelledError):
        give_up(measured, 3, ended(0, FinishReason.LENGTH), asyncio.CancelledError())
    assert measured.samples() == {"length": 1, "cancelled": 2}
    with pytest.raises(ModelCrashed):
        give_up(measured, 2, SPOKE, ModelCrashed("it died"))
    assert measured.samples() == {"length": 1, "cancelled": 2, "failed": 2}


def test_a_refused_request_has_no_samples_but_an_error_of_its_kind(measured) -> None:
    with (
        pytest.raises(Overloaded),
        measured.meters.errors("atlas"),
        measured.meters.generation(order(8), 0.0),
    ):
        raise Overloaded("full")
    assert measured.samples() == {}
    assert measured.value("request_errors_total", kind="OVERLOADED") == 1


@pytest.mark.parametrize(
    ("error", "kind"), [(ValueError("bug"), "INTERNAL"), (Overloaded("x"), "OVERLOADED")]
)
def test_errors_of_models_that_nobody_has_share_a_label(measured, error, kind) -> None:
    for name in ("made", "up", ""):
        with pytest.raises(type(error)), measured.meters.errors(name):
            raise error
    assert measured.value("request_errors_total", model="", kind=kind) == 3


def test_a_step_counts_what_the_engine_gained_by_it(measured) -> None:
    before = Counters(decode_steps=10, generated_tokens=100, prefilled_tokens=50)
    after = Counters(
        decode_steps=11, generated_tokens=104, prefilled_tokens=80, cached_tokens=7,
        prefix_hit_tokens=3, prefix_query_tokens=9,
    )  # fmt: skip
    measured.meters.observe("atlas", before, after)
    measured.meters.observe("atlas", after, after)
    assert measured.value("decode_steps_total") == 1
    assert measured.value("decode_batch_samples_sum") == 4
    assert measured.value("decode_batch_samples_count") == 1
    kinds = {kind: measured.value("tokens_total", kind=kind) for kind in ("prompt", "cached")}
    assert kinds == {"prompt": 30, "cached": 7}
    assert measured.value("tokens_total", kind="completion") == 4
    assert measured.value("prefix_cache_hit_tokens_total") == 3
    assert measured.value("prefix_cache_query_tokens_total") == 9


@dataclass
class FakeEngine:
    """What is looked up of an engine."""

    counters: Counters
    requests_in_flight: int


@dataclass
class FakeModel:
    """What is looked up of a model."""

    settings: ModelSettings
    running: list[FakeEngine]


def test_what_engines_do_now_is_looked_up_at_each_scrape_and_summed(measured) -> None:
    busy = Counters(busy_slots=3, queued=2, kv_used_tokens=30, kv_pool_tokens=100)
    idle = Counters(busy_slots=1, kv_used_tokens=20, kv_pool_tokens=100)
    model = FakeModel(ModelSettings(name="atlas", slots=4), [])
    measured.meters.watch([model])

    def seen() -> tuple[float | None, ...]:
        return (
            measured.value("engine_slots", state="busy"),
            measured.value("engine_slots", state="free"),
            measured.value("engine_queue"),
            measured.value("requests_in_flight"),
            measured.value("kv_cache_usage_ratio"),
        )

    assert seen() == (0, 0, 0, 0, 0)
    model.running = [FakeEngine(busy, 5), FakeEngine(idle, 1)]
    assert seen() == (4, 4, 2, 6, 0.25)
    model.running = []
    assert seen() == (0, 0, 0, 0, 0)


def test_meters_are_there_for_each_model_and_outcome(measured) -> None:
    measured.meters.of("atlas").texts.inc(3)
    assert measured.value("texts_embedded_total") == 3
    for outcome in ("agreed", "disagreed", "failed"):
        assert measured.value("deliberations_total", outcome=outcome) is None  # no label model
        assert (
            measured.registry.get_sample_value("quorate_deliberations_total", {"outcome": outcome})
            == 0
        )
