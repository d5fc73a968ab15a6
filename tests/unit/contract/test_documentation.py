"""The documentation leads somewhere: its links and the files that it names exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
LINK = re.compile(r"\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`]+)`")


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> Iterator[tuple[Path, str]]:
    for link in LINK.findall(page.read_text("utf-8")):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            yield (page.parent / path if path else page), anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_of_it(page: Path) -> None:
    for target, anchor in links(page):
        assert target.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to #{anchor} of {target.name}"


def named_files() -> Iterator[str]:
    """Give the files of the table; a bare name lies in the folder of the one before it."""
    for row in (ROOT / "docs" / "architecture.md").read_text("utf-8").splitlines():
        for cell in row.split("|")[2:4] if row.startswith("|") else ():
            folder = ""
            for name in QUOTED.findall(cell):
                if "/" in name:
                    folder = name.rpartition("/")[0]
                    yield name
                elif name.endswith((".py", ".yaml")):
                    yield f"{folder}/{name}"


def test_every_file_that_the_table_of_the_house_names_exists() -> None:
    names = list(named_files())
    assert len(names) > 40
    assert [name for name in names if not any(ROOT.glob(name.rstrip("/")))] == []
