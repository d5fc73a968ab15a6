"""The document of strategies names every one of them, with all aliases."""

from __future__ import annotations

from pathlib import Path

from quorate import voting

DOCUMENT = Path(__file__).parents[3] / "docs" / "strategies.md"


def test_every_strategy_and_alias_is_in_the_document() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    for name, strategy in voting.STRATEGIES.items():
        aliases = ", ".join(f"`{alias}`" for alias in strategy.aliases)
        assert f"| `{name}` | {aliases} |" in rows
        assert sum(row.startswith(f"| `{name}` |") for row in rows) == 2
