"""Cheap clients count and time what they receive; cores are divided between servers and clients."""

import asyncio
import os
import sys

import gguf
import numpy as np
import pytest

from services.bench.node import long_prompt, throughput
from services.bench.node.cores import Cores, ServerFailed, asking_from, divide, started
from services.bench.node.load import Burst, Sample, WrongCount, ask_llama_server, burst
from services.bench.node.prompts import Prompts

pytestmark = pytest.mark.anyio


def sample(tokens=64, started_at=0.0, arrivals=(0.5, 1.0)):
    return Sample(started_at, tokens, 64, arrivals)


def test_two_cores_serve_and_the_others_ask():
    assert divide(frozenset({5, 2, 7, 3})) == Cores(frozenset({2, 3}), frozenset({5, 7}))


@pytest.mark.parametrize("usable", [{0}, {0, 1}])
def test_where_there_are_no_others_all_share_the_cores_and_it_is_said(usable):
    cores = divide(frozenset(usable))
    assert cores.serving == cores.asking == usable
    assert "shared" in cores.describe()


def test_a_server_runs_on_the_serving_cores_and_ends_with_its_block(tmp_path):
    usable = os.sched_getaffinity(0)
    cores = divide(frozenset(usable))
    with (
        asking_from(cores),
        started([sys.executable, "-c", "input()"], cores, tmp_path / "log") as process,
    ):
        assert os.sched_getaffinity(process.pid) == cores.serving
        assert os.sched_getaffinity(0) == cores.asking
    assert process.returncode is not None
    assert os.sched_getaffinity(0) == usable


def test_a_server_that_fails_is_explained_by_its_log(tmp_path):
    log = tmp_path / "log"
    log.write_text("line\n" * 9 + "error: no such model\n")
    assert "error: no such model" in str(ServerFailed("llama-server", log))


async def test_clients_take_the_prompts_in_turn_and_no_more_than_allowed_at_once():
    at_once, most, asked = 0, 0, []

    async def ask(prompt):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        asked.append(prompt)
        await asyncio.sleep(0.001)
        at_once -= 1
        return sample(tokens=2)

    result = await burst(ask, list("abcdefg"), clients=3)
    assert sorted(asked) == list("abcdefg")
    assert most == 3
    assert result.speed == pytest.approx(14 / result.seconds)


def serve(answer: bytes):
    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for event in answer.split(b"|"):
            writer.write(b"data: " + event + b"\n\n")
            await writer.drain()
            await asyncio.sleep(0.005)
        writer.close()

    return asyncio.start_server(handle, "127.0.0.1", 0)


WORD = b'{"content":"a","stop":false}'
END = b'{"content":"","stop":true,"tokens_predicted":2,"tokens_evaluated":64}'


async def test_a_stream_of_llama_server_is_timed_by_its_tokens():
    async with await serve(WORD + b"|" + WORD + b"|" + END) as server:
        port = server.sockets[0].getsockname()[1]
        taken = await ask_llama_server(port, {"prompt": "x"}, 2)
    assert taken.tokens == 2
    assert taken.prompt_tokens == 64
    assert len(taken.arrivals) == 2
    assert 0 < taken.first < taken.total


@pytest.mark.parametrize("answer", [WORD + b"|" + END, b'{"error":"no"}'])
async def test_another_number_of_tokens_is_no_measurement(answer):
    async with await serve(answer) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(WrongCount):
            await ask_llama_server(port, {"prompt": "x"}, 64)


def test_first_tokens_are_summed_up_for_each_turn():
    turns = [
        Burst([sample(arrivals=(first, 9.0)) for first in np.linspace(0, 1, 21)], 9.0),
        Burst([sample(arrivals=(2.0, 9.0))], 9.0),
    ]
    assert throughput.first_milliseconds(turns, 50) == pytest.approx([500, 2000])
    assert throughput.first_milliseconds(turns, 95) == pytest.approx([950, 2000])


def test_only_gaps_that_count_are_felt():
    arrivals = [[0.0, 0.1, 0.2, 1.2], [0.0, 0.3]]
    assert long_prompt._p95(arrivals, lambda start, end: end <= 0.2) == pytest.approx(100)
    assert long_prompt._p95(arrivals, lambda start, end: start >= 0.2) == pytest.approx(1000)


def test_prompts_are_distinct_and_made_of_words_that_are_one_token_each(tmp_path):
    vocabulary = tmp_path / "vocabulary.gguf"
    writer = gguf.GGUFWriter(str(vocabulary), "llama")
    words = [first + second + "a" for first in "bcdfg" for second in "aeiou"]
    writer.add_token_list(["Ġno", "Ġ123", "bare", *(f"Ġ{word}" for word in words)])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    drawn = Prompts(vocabulary).draw_several(20)
    assert len(set(drawn)) == 20
    assert all(len(prompt.split()) == 64 for prompt in drawn)
    assert {word for prompt in drawn for word in prompt.split()} == set(words)
