"""Puts one item to the running mesh, and keeps what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from quorate.errors import QuorateError
from quorate.v1 import common_pb2, coordinator_pb2
from services.bench.suites.pocket.item import stable_share
from services.bench.vote.records import Ballot, Record

if TYPE_CHECKING:
    from quorate.v1 import coordinator_pb2_grpc
    from services.bench.suites.suite import Item, Suite

QUESTION_SECONDS = 120.0


@dataclass(frozen=True)
class Way:
    """One way to ask: fields of a Question, and of its sampling, beside the item's own text."""

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)


def question(item: Item, way: Way, seed: int) -> coordinator_pb2.Question:
    """Write the question: learned state is frozen, nothing is split, every item has its own seed.

    The kind of answer is not told: the mesh infers it, as it does for people.
    """
    own = int(stable_share(f"{seed}/{item.id}") * 2**31)
    return coordinator_pb2.Question(
        messages=[common_pb2.ChatMessage(role=common_pb2.CHAT_ROLE_USER, content=item.question)],
        sampling=common_pb2.Sampling(seed=own, **{"temperature": 0.0, **way.sampling}),
        **{
            "decompose": coordinator_pb2.DECOMPOSE_MODE_NONE,
            "stop_rule": coordinator_pb2.STOP_RULE_NEVER,
            "frozen": True,
            "deterministic": True,
            **way.fields,
        },
    )


class Asker:
    """Asks the coordinator, and scores what it and its members say."""

    def __init__(
        self,
        coordinator: coordinator_pb2_grpc.CoordinatorServiceAsyncStub,
        suite: Suite,
        seed: int,
    ) -> None:
        self._coordinator = coordinator
        self._suite = suite
        self._seed = seed

    async def ask(self, way: Way, item: Item) -> Record:
        """Give the record of an item asked in this way; that nobody could answer is one, too."""
        request = coordinator_pb2.AskRequest(question=question(item, way, self._seed))
        try:
            response = await self._coordinator.Ask(request, timeout=QUESTION_SECONDS)
        except QuorateError as error:
            if error.kind != "NO_QUORUM":
                raise
            return Record(way.name, item.id, (), failure=error.kind)
        part = response.result.parts[0]
        right = await self._score(item, {ballot.text for ballot in part.ballots} | {part.answer})
        ballots = tuple(_ballot(one, right[one.text]) for one in part.ballots)
        return Record(
            way.name,
            item.id,
            ballots,
            answer=part.answer,
            right=_winner_right(part, right),
            agreement=part.agreement,
            effective_votes=part.effective_votes,
            seconds=response.result.timings.total_seconds,
            tokens=sum(ballot.tokens for ballot in ballots),
            saved=part.tokens_saved,
            stopped_by=part.stopped_by,
        )

    async def _score(self, item: Item, texts: set[str]) -> Mapping[str, bool]:
        """Score every text once; code runs in processes of its own, away from the event loop."""
        return {
            text: await asyncio.to_thread(self._suite.right, item, text) for text in sorted(texts)
        }


def _winner_right(part: coordinator_pb2.Part, right: Mapping[str, bool]) -> bool:
    """Say whether the part's answer is right: by the words of the ballot that stands for it."""
    return right.get(part.text, right[part.answer]) if part.text else right[part.answer]


def _ballot(ballot: common_pb2.Ballot, right: bool) -> Ballot:
    return Ballot(
        member=f"{ballot.node}/{ballot.model}" + (f"#{ballot.sample}" if ballot.sample else ""),
        model=ballot.model,
        text=ballot.text,
        valid=ballot.status == common_pb2.BALLOT_STATUS_VALID,
        confidence=round(ballot.confidence, 6),
        mean_logprob=round(ballot.mean_logprob, 6),
        tokens=ballot.usage.completion_tokens,
        prompt_tokens=ballot.usage.prompt_tokens,
        seconds=round(ballot.timings.total_seconds, 4),
        sample=ballot.sample,
        round=ballot.round,
        right=right,
        cancelled=ballot.status == common_pb2.BALLOT_STATUS_CANCELLED,
    )
