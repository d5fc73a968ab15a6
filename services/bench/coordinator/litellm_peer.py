"""The peer LiteLLM: its Router in this process asks five OpenAI-compatible servers, and votes.

Runs in a Python of its own that has LiteLLM. The servers answer at once; see `instant_http`. Their
port is the only argument.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # never fetched from the network

import litellm  # type: ignore[import-not-found,unused-ignore]

from services.bench.coordinator.question import NODES, QUESTION, majority, take_turns


async def _measure(port: int) -> None:
    litellm.suppress_debug_info = True
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    router = litellm.Router(
        model_list=[
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"openai/{name}",
                    "api_base": f"http://127.0.0.1:{port}/v1",
                    "api_key": "none",
                },
            }
            for name in NODES
        ]
    )
    messages = [{"role": "user", "content": QUESTION}]

    async def one(name: str) -> str:
        response = await router.acompletion(model=name, messages=messages)
        return str(response.choices[0].message.content)

    async def ask() -> None:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one(name)) for name in NODES]
        majority([task.result() for task in running])

    await take_turns(ask)


if __name__ == "__main__":
    asyncio.run(_measure(int(sys.argv[1])))
