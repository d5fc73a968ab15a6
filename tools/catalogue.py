"""Compares the catalogue with the hub and writes revision, SHA-256 and size: `make catalogue`.

Needs network. A file that the hub has changed is told and taken over only with --accept. `--check`
writes nothing. Exits with 1 when something differs or could not be looked up.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from quorate.errors import QuorateError
from quorate.models.catalogue import Catalogue, CatalogueModel
from quorate.models.hub import Asking, Hub, Remote, look_up, source_of

TARGET = Path(__file__).parents[1] / "quorate" / "models" / "catalogue.yaml"


def main(arguments: Sequence[str]) -> int:
    """Look every model up on the hub and write what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=TARGET)
    parser.add_argument("--endpoint", help="another hub than HF_ENDPOINT")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--accept", action="store_true", help="take over changed files")
    options = parser.parse_args(arguments)
    text = options.file.read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    known = Catalogue.model_validate(data)
    hub = Hub(options.endpoint)
    problems = 0
    for model, entry in zip(known.models, data["models"], strict=True):
        problems += not _update(model, entry, hub, accept=options.accept)
    if not options.check:
        comments = [line for line in text.splitlines(keepends=True) if line.startswith("#")]
        body = yaml.safe_dump(data, sort_keys=False, width=120, allow_unicode=True)
        options.file.write_text("".join(comments) + body, encoding="utf-8")
    return 1 if problems else 0


def _update(model: CatalogueModel, entry: dict[str, Any], hub: Hub, *, accept: bool) -> bool:
    """Put what the hub says into an entry; gives whether it agrees with what stood there."""
    try:
        # The head of its branch: whoever pins a commit wants to hear that there is a newer one.
        remote = look_up(Asking(source_of(model)._replace(revision=None), hub))
    except QuorateError as error:
        sys.stderr.write(f"{model.name}: {error.message}\n")
        return False
    if remote.sha256 is None:
        sys.stderr.write(f"{model.name}: the hub tells no SHA-256\n")
        return False
    same = _agrees(model, remote)
    if same or accept:
        entry |= {
            "revision": remote.revision, "sha256": remote.sha256, "file_bytes": remote.file_bytes,
        }  # fmt: skip
    sys.stdout.write(f"{model.name}: {'as known' if same else 'CHANGED'} at {remote.revision}\n")
    if not same:
        sys.stdout.write(f"  {model.sha256}, {model.file_bytes} bytes\n")
        sys.stdout.write(f"  {remote.sha256}, {remote.file_bytes} bytes\n")
    return same


def _agrees(model: CatalogueModel, remote: Remote) -> bool:
    return model.sha256 in (None, remote.sha256) and model.file_bytes in (None, remote.file_bytes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
