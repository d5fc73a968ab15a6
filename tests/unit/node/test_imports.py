"""What a node process loads before anything asks for it: each library costs it megabytes."""

from __future__ import annotations

import subprocess
import sys

LATER = (
    "numpy",
    "rapidfuzz",
    "llama_cpp",
    "httpx",
    "opentelemetry.exporter",
    "opentelemetry.sdk",
    "rich",
)
"""What engines need, remote models need, exported spans need, and what only commands need."""


def test_a_node_loads_no_library_of_engines_of_remote_models_or_of_exported_spans() -> None:
    program = (
        "import sys, services.node.__main__\n"
        f"print([name for name in {LATER!r} if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.splitlines() == ["[]"]
