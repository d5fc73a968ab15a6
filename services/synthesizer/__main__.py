"""`python -m services.synthesizer --settings FILE` runs a synthesizer until it is told to stop."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

from quorate.config import SynthesizerSettings, load
from quorate.server import run
from quorate.telemetry import configure_logging
from services.synthesizer.service import serve


def main() -> None:
    """Read the settings, then serve."""
    parser = argparse.ArgumentParser(prog="python -m services.synthesizer")
    parser.add_argument("--settings", type=Path, required=True, help="YAML file with the settings")
    path = parser.parse_args().settings
    run(partial(_main, path))


async def _main(path: Path) -> None:
    settings = load(SynthesizerSettings, path, os.environ)
    configure_logging(settings.telemetry.log_level, "synthesizer", settings.name)
    await serve(settings)


if __name__ == "__main__":
    main()
