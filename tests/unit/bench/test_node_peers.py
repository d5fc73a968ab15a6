"""The peers are built from the sources of the installed version, or it is said what is missing."""

import io
import os
import tarfile

import pytest
from rich.console import Console

from services.bench.node import peers

QUIET = Console(file=io.StringIO())


def test_only_llama_cpp_is_unpacked_from_the_source_package(tmp_path):
    archive = tmp_path / "package.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        for name in ("p-1/setup.py", "p-1/vendor/llama.cpp/ggml/a.c", "p-1/vendor/other/b.c"):
            member = tarfile.TarInfo(name)
            member.size = 1
            made.addfile(member, io.BytesIO(b"x"))
    with tarfile.open(archive) as sources:
        assert [member.name for member in peers._llama_cpp(sources)] == ["ggml/a.c"]


def test_built_peers_are_used_again(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "_fetch", lambda *_: pytest.fail("it was fetched again"))
    monkeypatch.setattr(peers, "_build", lambda *_: pytest.fail("it was built again"))
    version = peers.metadata.version(peers.PACKAGE)
    binaries = tmp_path / f"llama.cpp-{version}/build/bin"
    binaries.mkdir(parents=True)
    for target in peers.TARGETS:
        (binaries / target).touch()
    brought = peers.bring(tmp_path, QUIET)
    assert brought.server == binaries / "llama-server"
    assert brought.version == version


def test_without_cmake_the_command_that_brings_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(peers.sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(peers.PeerMissing, match="-m pip install cmake"):
        peers._cmake()


def test_a_step_that_fails_says_why_with_the_end_of_its_log(tmp_path):
    command = ["sh", "-c", "echo one; echo the compiler is broken >&2; exit 3"]
    with pytest.raises(peers.PeerMissing, match=r"(?s)cannot be compiled.*the compiler is broken"):
        peers._run(command, tmp_path / "build.log", "llama.cpp cannot be compiled")


def test_a_step_tells_how_far_it_is(tmp_path):
    told = []
    command = ["printf", "[1/2] a\\nwarning\\n[ 50%%] b\\n"]
    peers._run(command, tmp_path / "log", "it failed", told.append)
    assert told == ["[1/2]", "[ 50%]"]


def test_the_cache_lies_where_quorate_data_says(monkeypatch, tmp_path):
    monkeypatch.setenv("QUORATE_DATA", str(tmp_path))
    assert peers.cache() == tmp_path / "bench"
    monkeypatch.delenv("QUORATE_DATA")
    assert str(tmp_path) not in os.fspath(peers.cache())
