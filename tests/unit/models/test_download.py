"""Bringing files from a hub, also one that breaks off, lies, refuses or is not there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quorate import errors, models
from quorate.models import download
from quorate.models.download import Means, Wanted
from quorate.models.hub import Asking, Hub, Source, look_up, parse_source
from quorate.models.store import Store

POCKET = models.pocket_models()["abacus"].read_bytes()
SHA256 = hashlib.sha256(POCKET).hexdigest()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OLD_COMMIT = "f" * 40
SOURCE = Source("someone/abacus-GGUF", "abacus.gguf")
WANTED = Wanted("abacus-2", SOURCE, SHA256, "mit")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


@pytest.fixture
def means(hub: Any, new_repository: Callable[..., Any]) -> Means:
    hub.repositories["someone/abacus-GGUF"] = new_repository({"abacus.gguf": POCKET})
    return Means(Hub(hub.endpoint), pause=lambda _seconds: None)


def test_a_file_arrives_whole_and_is_recorded(hub: Any, store: Store, means: Means) -> None:
    seen: list[tuple[int, int]] = []
    record = download.pull(WANTED, store, means._replace(progress=lambda *step: seen.append(step)))
    assert store.path("abacus-2").read_bytes() == POCKET
    assert (record.sha256, record.revision, record.checksum_from) == (SHA256, COMMIT, "catalogue")
    assert seen[-1] == (len(POCKET), len(POCKET))
    assert store.records() == {"abacus-2": record}
    assert store.partials("abacus-2") == []
    assert hub.downloads() == [""]


def test_without_a_known_checksum_the_hubs_is_kept(store: Store, means: Means) -> None:
    record = download.pull(WANTED._replace(sha256=None), store, means)
    assert (record.sha256, record.checksum_from) == (SHA256, "hub")
    data = json.loads((store.directory / "models.json").read_text())
    assert data["models"]["abacus-2"]["sha256"] == SHA256


def test_a_broken_connection_is_taken_up_where_it_broke(
    hub: Any, store: Store, means: Means
) -> None:
    hub.cut_after, hub.faults = len(POCKET) // 3, 2
    download.pull(WANTED, store, means)
    assert store.path("abacus-2").read_bytes() == POCKET
    first, second, third = hub.downloads()
    assert first == ""
    assert int(second.removeprefix("bytes=").rstrip("-")) == len(POCKET) // 3
    assert int(third.removeprefix("bytes=").rstrip("-")) == 2 * (len(POCKET) // 3)


def test_interruption_leaves_a_partial_file_that_the_next_pull_completes(
    hub: Any, store: Store, means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.pull(WANTED, store, means._replace(progress=interrupt))
    kept = download.kept_bytes(store, "abacus-2")
    assert len(POCKET) // 2 < kept < len(POCKET)
    assert store.find("abacus-2") is None
    download.pull(WANTED, store, means)
    assert store.path("abacus-2").read_bytes() == POCKET
    assert hub.downloads() == ["", f"bytes={kept}-"]


def test_a_hub_that_ignores_ranges_is_read_from_the_start(
    hub: Any, store: Store, means: Means
) -> None:
    hub.ranges, hub.cut_after, hub.faults = False, len(POCKET) // 3, 1
    download.pull(WANTED, store, means)
    assert store.path("abacus-2").read_bytes() == POCKET


def test_a_hub_that_always_breaks_off_is_given_up_and_what_came_is_kept(
    hub: Any, store: Store, means: Means
) -> None:
    waits: list[float] = []
    hub.wrong_bytes = POCKET[:3000]  # it has no more of it to give
    with pytest.raises(errors.Unavailable, match=f"3000 of {len(POCKET)} bytes are kept") as caught:
        download.pull(WANTED, store, means._replace(pause=waits.append))
    assert "goes on from there" in caught.value.message
    assert waits == sorted(waits)
    hub.wrong_bytes = None
    download.pull(WANTED, store, means)
    assert store.path("abacus-2").read_bytes() == POCKET


def test_wrong_bytes_are_refused_and_removed(hub: Any, store: Store, means: Means) -> None:
    hub.wrong_bytes = bytes(len(POCKET))
    with pytest.raises(errors.ModelUnusable, match="SHA-256") as caught:
        download.pull(WANTED, store, means)
    assert SHA256 in caught.value.message
    assert store.find("abacus-2") is None
    assert store.partials("abacus-2") == []
    assert store.records() == {}


def test_more_bytes_than_announced_are_refused(hub: Any, store: Store, means: Means) -> None:
    hub.wrong_bytes = POCKET + b"more"
    with pytest.raises(errors.ModelUnusable, match="more than"):
        download.pull(WANTED, store, means)
    assert store.partials("abacus-2") == []


def test_a_right_checksum_of_what_is_no_model_is_refused(
    hub: Any, store: Store, means: Means, new_repository: Callable[..., Any]
) -> None:
    hub.repositories["someone/abacus-GGUF"] = new_repository({"abacus.gguf": b"no model"})
    with pytest.raises(errors.ModelUnusable, match="not a GGUF file"):
        download.pull(WANTED._replace(sha256=None), store, means)
    assert store.partials("abacus-2") == []


def test_another_file_than_the_catalogues_is_refused_before_it_is_brought(
    hub: Any, store: Store, means: Means
) -> None:
    with pytest.raises(errors.ModelUnusable, match="another file") as caught:
        download.pull(WANTED._replace(sha256="0" * 64), store, means)
    assert f"quorate models pull hf:{SOURCE.repository}/{SOURCE.file}@{COMMIT}" in str(caught.value)
    assert hub.downloads() == []


def test_a_pinned_commit_that_is_gone_does_no_harm_where_the_checksum_is_known(
    store: Store, means: Means
) -> None:
    gone = SOURCE._replace(revision=OLD_COMMIT)
    assert download.pull(WANTED._replace(source=gone), store, means).revision == COMMIT
    with pytest.raises(errors.NotFound, match="no revision"):
        download.pull(Wanted("x", gone), store, means)


def test_without_any_checksum_nothing_is_brought(hub: Any, store: Store, means: Means) -> None:
    hub.tell_checksum = False
    with pytest.raises(errors.NotReady, match="no SHA-256"):
        download.pull(WANTED._replace(sha256=None), store, means)
    assert download.pull(WANTED, store, means).checksum_from == "catalogue"


def test_a_full_disk_is_told_before_anything_is_brought(
    hub: Any, store: Store, means: Means
) -> None:
    with pytest.raises(errors.NotReady, match="QUORATE_DATA"):
        download.pull(WANTED, store, means._replace(free_bytes=lambda _directory: 10**6))
    assert hub.downloads() == []
    assert list(store.directory.glob("*.partial")) == []


def test_two_pulls_of_one_model_do_not_mix(store: Store, means: Means) -> None:
    store.directory.mkdir(parents=True)
    with (store.directory / f"abacus-2.{SHA256[:16]}.partial").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(errors.Unavailable, match="another"):
            download.pull(WANTED, store, means)
    download.pull(WANTED, store, means)


def test_what_is_left_of_another_version_is_removed(store: Store, means: Means) -> None:
    store.directory.mkdir(parents=True)
    old = store.directory / "abacus-2.0000000000000000.partial"
    old.write_bytes(b"old")
    download.pull(WANTED, store, means)
    assert not old.exists()


def test_a_gated_repository_says_how_to_be_let_in(hub: Any, store: Store, means: Means) -> None:
    hub.repositories["someone/abacus-GGUF"].gated = True
    with pytest.raises(errors.NotPermitted, match="HF_TOKEN") as caught:
        download.pull(WANTED, store, means)
    assert f"{hub.endpoint}/someone/abacus-GGUF" in caught.value.message
    known = means._replace(hub=Hub(hub.endpoint, "hf_letmein"))
    assert download.pull(WANTED, store, known).sha256 == SHA256


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Source("no/such", "abacus.gguf"), "no repository no/such"),
        (SOURCE._replace(file="other.gguf"), "no file 'other.gguf'"),
        (SOURCE._replace(revision="v9"), "no revision 'v9'"),
    ],
)
def test_what_the_hub_does_not_have_is_named(source: Source, said: str, means: Means) -> None:
    with pytest.raises(errors.NotFound, match=said):
        look_up(Asking(source, means.hub))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, errors.NotAuthenticated), (403, errors.NotPermitted), (503, errors.Unavailable)],
)
def test_refusals_while_downloading_say_what_to_do(
    status: int, kind: type[errors.QuorateError], hub: Any, store: Store, means: Means
) -> None:
    hub.status = status
    with pytest.raises(kind):
        download.pull(WANTED, store, means)
    assert store.find("abacus-2") is None


def test_without_network_the_error_says_what_to_do(store: Store) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = Hub(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(errors.Unavailable) as caught:
            download.pull(WANTED, store, Means(nowhere))
    for advice in (
        str(store.path("abacus-2")),
        "HF_ENDPOINT",
        "by hand",
        "quorate models verify",
        "abacus.gguf",
    ):
        assert advice in caught.value.message


def test_offline_mode_of_the_hubs_library_is_named(
    means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(errors.Unavailable, match="HF_HUB_OFFLINE"):
        look_up(Asking(SOURCE, means.hub))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("hf:a/b/c.gguf", Source("a/b", "c.gguf")),
        ("hf:a/b/deep/c.gguf@v1.0", Source("a/b", "deep/c.gguf", "v1.0")),
    ],
)
def test_sources_are_read_as_they_are_written(text: str, source: Source) -> None:
    assert parse_source(text) == source
    assert str(source) == text


@pytest.mark.parametrize(
    "text", ["hf:", "hf:a/b", "hf:a/b/c.bin", "hf:a b/c/d.gguf", "hf:a/b/c.gguf@x y"]
)
def test_sources_that_name_no_file_are_refused(text: str) -> None:
    with pytest.raises(errors.InvalidRequest):
        parse_source(text)
