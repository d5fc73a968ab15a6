"""The engine process: `python -m services.node.engine --socket FD`, started by a node only."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import datetime
import faulthandler
import os
import signal
import socket
import sys
import time
from pathlib import Path

from quorate.errors import InvalidRequest, ModelUnusable, QuorateError
from quorate.models.memory import CHUNK_TOKENS
from services.node.engine.context import Context, ContextSettings
from services.node.engine.cores import CoreShare, first_guess, most_threads
from services.node.engine.engine import Engine
from services.node.engine.guard import GRAMMAR_SECONDS, Guard
from services.node.engine.link import Link, NodeGone
from services.node.engine.llama import LogTail, Model
from services.node.engine.loop import serve
from services.node.engine.messages import Load, Loaded, LoadFailed, Loading, Refused
from services.node.engine.plan import Limits
from services.node.engine.prompt import PromptReader
from services.node.engine.template import ChatTemplate
from services.node.engine.threads import ThreadTuner
from services.node.engine.warm_up import warm_up

_PR_SET_PDEATHSIG = 1
OOM_SCORE = "500"
EXIT_GRAMMAR = 3
"""Status after a grammar took too long; shown in the node's log."""


def _die_with(node_pid: int) -> None:
    """Have the kernel kill this process when the node dies, even by SIGKILL.

    Ctrl-C reaches the whole foreground group: the node answers it, by closing the socket.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != node_pid:  # it died before the line above
        os._exit(1)


def _die_before_node() -> None:
    """Where memory runs out, the kernel shall take an engine: one model is lost, not the node."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")


def _template(model: Model) -> ChatTemplate | None:
    source = model.chat_template
    if source is None:
        return None
    words = model.vocabulary
    return ChatTemplate(source, words.bos, words.eos, lambda: datetime.date.today())  # noqa: DTZ011


def _build(load: Load, model: Model, guard: Guard) -> Engine:
    limits = Limits(
        load.slots,
        load.context_tokens,
        load.pool_tokens,
        load.queue,
        CHUNK_TOKENS,
        split=load.split,
        reuse=not model.is_recurrent,
    )
    settings = ContextSettings(
        load.pool_tokens, load.slots, CHUNK_TOKENS + load.slots, load.split, load.cache_type
    )
    context = Context(model, settings)
    warm_up(context, model.weights, min(CHUNK_TOKENS, load.context_tokens))
    reader = PromptReader(model.vocabulary, _template(model), load.context_tokens)
    tuner = ThreadTuner(first_guess(load.cores, load.machine_cores))
    return Engine(context, model.vocabulary, reader, limits, guard, tuner, time.monotonic)


def _load(load: Load, guard: Guard, link: Link) -> tuple[Model, Engine, Loaded]:
    started = time.monotonic()
    path = Path(load.path)
    try:
        facts = path.stat()
    except OSError as error:
        raise ModelUnusable(f"{path} cannot be read: {error.strerror}") from error
    model = Model(path, load.gpu_layers, LogTail(), lambda share: link.send(Loading(share)))
    if not model.has_decoder:
        raise ModelUnusable(f"{path} holds an encoder; it cannot generate")
    engine = _build(load, model, guard)
    loaded = Loaded(
        device=facts.st_dev,
        inode=facts.st_ino,
        file_bytes=facts.st_size,
        modified_ns=facts.st_mtime_ns,
        vocabulary_tokens=model.vocabulary.size,
        has_chat_template=model.chat_template is not None,
        load_seconds=time.monotonic() - started,
    )
    return model, engine, loaded


def _give_up(link: Link, request_id: int) -> None:
    """Tell a request that its grammar takes too long, and end the process amid that work."""
    error = InvalidRequest(
        f"the grammar or JSON schema takes more than {GRAMMAR_SECONDS:g} s to compute for one "
        "token. Write it with fewer optional and ambiguous parts.",
        metadata={"field": "sampling.constraint"},
    )
    try:
        link.send(Refused(request_id, error.kind, error.message, error.metadata))
    finally:
        os._exit(EXIT_GRAMMAR)


def main() -> int:
    """Load the model that the first message names, then serve; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--node-pid", type=int, required=True)
    arguments = parser.parse_args()
    faulthandler.enable()
    _die_with(arguments.node_pid)
    _die_before_node()
    link = Link(socket.socket(fileno=arguments.socket))
    try:
        load = next(command for command in link.receive(wait=True) if isinstance(command, Load))
        try:
            model, engine, loaded = _load(
                load, Guard(lambda request_id: _give_up(link, request_id)), link
            )
            most = most_threads(model.tensor_bytes, load.cores)
            share = CoreShare(Path(load.runtime_directory), load.cores, most)
        except QuorateError as error:
            link.send(LoadFailed(error.message))
            return 0
        link.send(loaded)
        serve(link, engine, share, time.monotonic)
    except NodeGone:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
