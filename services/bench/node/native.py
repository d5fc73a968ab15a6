"""The native limit: llama-batched-bench, which decodes without a server, a sampler or a client."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from services.bench.node.cores import SERVING_CORES, ServerFailed, started

if TYPE_CHECKING:
    from services.bench.node.servers import Place

PROMPT_TOKENS = 64
TIMEOUT_SECONDS = 300.0


class Native(NamedTuple):
    """Seconds to compute the prompts and to decode, for `sequences` at once."""

    sequences: int
    prompt_seconds: float
    decode_seconds: float
    new_tokens: int

    @property
    def seconds(self) -> float:
        """Seconds for all of it."""
        return self.prompt_seconds + self.decode_seconds

    @property
    def speed(self) -> float:
        """Generated tokens per second, end to end."""
        return self.sequences * self.new_tokens / self.seconds


def run(
    program: Path,
    model: Path,
    sequences: int,
    place: Place,
    *,
    unified: bool,
    shared_prompt: bool = False,
    new_tokens: int = 64,
) -> Native:
    """Decode `sequences` at once, on the serving cores. Raises ServerFailed."""
    command = [
        str(program), "--model", str(model), "--output-format", "jsonl",
        "--threads", str(SERVING_CORES), "--threads-batch", str(SERVING_CORES),
        "-npp", str(PROMPT_TOKENS), "-ntg", str(new_tokens), "-npl", str(sequences),
        "--ctx-size", str(sequences * (PROMPT_TOKENS + new_tokens)),
        "--kv-unified" if unified else "--no-kv-unified",
        *(["-pps"] if shared_prompt else []),
    ]  # fmt: skip
    rows = _rows(command, place)
    return Native(sequences, rows[0]["t_pp"], rows[0]["t_tg"], new_tokens)


def _rows(command: Sequence[str], place: Place) -> Sequence[Mapping[str, float]]:
    """Run to the end and read the lines of JSON; not empty."""
    log = place.log("llama-batched-bench")
    with started(command, place.cores, log) as process:
        try:
            process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            raise ServerFailed("llama-batched-bench", log) from None
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [json.loads(line) for line in lines if line.startswith('{"n_kv_max"')]
    if not rows:
        raise ServerFailed("llama-batched-bench", log)
    return rows


def best(
    program: Path, model: Path, sequences: int, place: Place, *, layouts: Sequence[bool]
) -> Native:
    """Give the faster of the layouts of the key-value cells; True is one pool for all."""
    runs = [run(program, model, sequences, place, unified=unified) for unified in layouts]
    return max(runs, key=lambda native: native.speed)
