"""What a question is about, on the pocket suites' held-out items."""

from __future__ import annotations

import asyncio

import pytest

from quorate.errors import NoNodes
from services.bench.suites.pocket import items
from services.coordinator.state.embedding import Centroids, EmbeddedTopics
from services.coordinator.state.examples import EXAMPLES
from services.coordinator.state.topics import TOPICS, Rules, topic_of

LABELS = {
    "arithmetic": "math",
    "facts": "facts",
    "extraction": "extraction",
    "python": "code",
    "yes_no": "reasoning",
}
EACH = 200
FLOOR = 0.95
"""Five topics that are drawn equally often: chance is 0.2, and one topic for all as well."""


def test_rules_tell_the_topics_of_held_out_pocket_items() -> None:
    right = {
        task: sum(topic_of(item.prompt) == topic for item in items(task, "test", 11, EACH))
        for task, topic in LABELS.items()
    }
    overall = sum(right.values()) / (EACH * len(LABELS))
    print(f"topics by rules: {overall:.3f} of {EACH * len(LABELS)} items, {right}")
    assert overall >= FLOOR
    assert min(right.values()) >= 0.9 * EACH


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Write a poem about the sea.", "creative"),
        ("Summarize the plot of Hamlet in two sentences.", "summarize"),
        ("What is 47 + 38?", "math"),
        ("Who wrote Faust?", "facts"),
        ("How do I debug a segfault in Rust?", "code"),
        ("All cats purr. Tom is a cat. Does it follow that Tom purrs?", "reasoning"),
        ("Extract the names as JSON: Ben met Clara.", "extraction"),
        ("hello", ""),
        ("", ""),
        ("x" * 200_000, ""),
    ],
)
def test_a_question_has_the_topic_that_a_reader_would_give_it(text: str, topic: str) -> None:
    assert topic_of(text) == topic


def test_the_rules_tell_most_of_their_own_examples() -> None:
    told = [(topic_of(text), topic) for topic, texts in EXAMPLES.items() for text in texts]
    assert sum(one == other for one, other in told) / len(told) >= 0.9
    assert set(EXAMPLES) == set(TOPICS)


def test_a_vector_belongs_to_the_middle_in_whose_direction_it_lies() -> None:
    # All share a large first number, as embeddings do; only the rest tells.
    centroids = Centroids.of({"a": [(9, 1, 0), (9, 2, 0.1)], "b": [(9, 0, 1)], "empty": []})
    assert centroids.topics == ("a", "b")
    assert centroids.nearest((9, 5, 1)) == "a"
    assert centroids.nearest((9, 1, 5)) == "b"


def test_centroids_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="no examples"):
        Centroids.of({})


class Away:
    calls = 0

    async def embed(self, texts):  # type: ignore[no-untyped-def]
        self.calls += 1
        raise NoNodes("nobody embeds")


class Paced:
    """Gives each text a vector by its length, after a while; `width` numbers long."""

    def __init__(self, seconds: float = 0.0, width: int = 7) -> None:
        self.seconds = seconds
        self.width = width
        self.embedded: list[str] = []
        self.cancelled = 0

    async def embed(self, texts):  # type: ignore[no-untyped-def]
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.embedded += texts
        return [[float(len(text) % (place + 2)) for place in range(self.width)] for text in texts]


def counted(embedder: object) -> tuple[EmbeddedTopics, list[int]]:
    missed: list[int] = []
    return EmbeddedTopics(embedder, EXAMPLES, lambda: missed.append(1)), missed  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_while_nobody_embeds_rules_tell_topics_and_that_is_counted(caplog) -> None:  # type: ignore[no-untyped-def]
    topics, missed = counted(Away())
    assert await topics.topic("What is 47 + 38?", 60.0) == "math"
    assert missed == [1]
    assert "told by rules" in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("seconds", [0.2, 0.0, -1.0])
async def test_a_slow_embedder_takes_a_small_share_of_the_time_that_is_left(  # type: ignore[no-untyped-def]
    caplog, seconds: float
) -> None:
    embedder = Paced(seconds=30.0)
    topics, missed = counted(embedder)
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(5):
        assert await topics.topic("What is 47 + 38?", seconds) == "math"
    assert asyncio.get_running_loop().time() - began < 0.2  # a tenth of it, and some scheduling
    assert (missed, embedder.cancelled) == ([1], 1)
    assert "told by rules, not by embedding: embedding took more than" in caplog.text


@pytest.mark.anyio
async def test_hurried_questions_learn_the_examples_between_them() -> None:
    embedder = Paced(seconds=0.01)
    topics, missed = counted(embedder)
    async with asyncio.timeout(20):
        while not await embedded(topics, missed):
            pass
    assert missed  # one of them alone had no time for it
    examples = [text for texts in EXAMPLES.values() for text in texts]
    assert [text for text in embedder.embedded if text in examples] == examples


async def embedded(topics: EmbeddedTopics, missed: list[int]) -> bool:
    before = len(missed)
    await topics.topic("Who wrote Faust, then?", 0.3)
    return len(missed) == before


@pytest.mark.anyio
async def test_a_model_that_was_replaced_is_learned_anew() -> None:
    embedder = Paced()
    topics, missed = counted(embedder)
    await topics.topic("Who wrote Faust, then?", 60.0)
    assert missed == []
    embedder.width = 9
    await topics.topic("Who wrote Faust, then?", 60.0)
    assert missed == [1]
    await topics.topic("Who wrote Faust, then?", 60.0)
    assert missed == [1]


@pytest.mark.anyio
async def test_rules_stand_behind_the_same_protocol() -> None:
    assert await Rules().topic("What is 47 + 38?", 0.0) == "math"
