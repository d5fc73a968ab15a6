"""Generates quorate/v1 from protos/quorate/v1, or checks that what is committed is the same.

Usage: python tools/protos.py [--check]
"""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("quorate") / "v1"


def generate(target: Path) -> None:
    """Write the stubs of every proto below `target`."""
    protos = sorted(str(path) for path in (ROOT / "protos" / PACKAGE).glob("*.proto"))
    outputs = [f"--{kind}_out={target}" for kind in ("python", "grpc_python")]
    outputs += [f"--{kind}_out=quiet:{target}" for kind in ("mypy", "mypy_grpc")]
    # The protoc plug-ins of mypy-protobuf lie beside this Python, which need not be on PATH.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    compiler = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'protos'}"]
    subprocess.run([*compiler, *outputs, *protos], check=True, env=environment)


def differences(fresh: Path) -> list[str]:
    """Name the generated files that are missing, stale or no longer generated."""
    committed = {path.name for path in (ROOT / PACKAGE).glob("*_pb2*")}
    made = {path.name for path in fresh.glob("*_pb2*")}
    changed = [
        name
        for name in committed & made
        if not filecmp.cmp(ROOT / PACKAGE / name, fresh / name, shallow=False)
    ]
    return sorted([*changed, *(committed ^ made)])


def main() -> int:
    """Generate, or compare with --check; the exit status is 1 when something differs."""
    if "--check" not in sys.argv[1:]:
        generate(ROOT)
        return 0
    with tempfile.TemporaryDirectory() as directory:
        generate(Path(directory))
        stale = differences(Path(directory) / PACKAGE)
    if stale:
        print(f"Stale stubs: {', '.join(stale)}. Mend it with: make proto")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
