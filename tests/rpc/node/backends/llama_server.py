"""llama.cpp's own server, from the wheel of xllamacpp: `llama_server.py MODEL [--key K] …`.

Prints its address when it can be called, and serves until it is ended.
"""

from __future__ import annotations

import argparse
import threading

import xllamacpp


def main() -> None:
    """Serve one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--alias", default="")
    parser.add_argument("--key", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--embedding", action="store_true")
    arguments = parser.parse_args()
    parameters = xllamacpp.CommonParams()
    parameters.model.path = arguments.model
    parameters.n_ctx = arguments.context
    parameters.n_parallel = arguments.slots
    parameters.kv_unified = False
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.port = arguments.port
    parameters.endpoint_metrics = True
    parameters.embedding = arguments.embedding
    if arguments.embedding:
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    if arguments.alias:
        parameters.model_alias = {arguments.alias}
    if arguments.key:
        parameters.api_keys = [arguments.key]
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
