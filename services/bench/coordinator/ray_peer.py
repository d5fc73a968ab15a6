"""The peer Ray Serve: five deployments that answer at once, and one that asks them and votes.

Runs in a Python of its own that has Ray; asked over Ray's own handle, without HTTP, in its favour.
"""

from __future__ import annotations

import asyncio
import logging

import ray  # type: ignore[import-not-found,unused-ignore]
from ray import serve  # type: ignore[import-not-found,unused-ignore]

from services.bench.coordinator.question import ANSWER, NODES, QUESTION, majority, take_turns


class Voter:
    """Answers at once."""

    async def generate(self, question: str) -> str:
        """Give the answer."""
        return ANSWER


class Ask:
    """Asks five voters at the same time, and gives the answer of most of them."""

    def __init__(self, *voters: object) -> None:
        self._voters = voters

    async def ask(self, question: str) -> str:
        """Give the answer of most."""

        async def one(voter: object) -> str:
            return str(await voter.generate.remote(question))  # type: ignore[attr-defined]

        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one(voter)) for voter in self._voters]
        return majority([task.result() for task in running])


async def _measure() -> None:
    options = {"ray_actor_options": {"num_cpus": 0}, "max_ongoing_requests": 100}
    voters = [serve.deployment(name=name, **options)(Voter).bind() for name in NODES]
    handle = serve.run(serve.deployment(name="ask", **options)(Ask).bind(*voters))

    async def ask() -> None:
        await handle.ask.remote(QUESTION)

    await take_turns(ask)


if __name__ == "__main__":
    ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR, num_cpus=2)
    asyncio.run(_measure())
