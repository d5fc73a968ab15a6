#!/usr/bin/env bash
# Train, export and evaluate the pocket models: hours on a CPU. Checkpoints survive an interruption.
set -euo pipefail
cd "$(dirname "$0")/../.."
train=.venv-pocket/bin/python
if ! $train -c 'import torch, gguf, sentencepiece' 2>/dev/null; then
  python3.11 -m venv .venv-pocket
  .venv-pocket/bin/pip install --quiet --requirement tools/pocket/requirements.txt
fi
$train -m tools.pocket train --all --resume --threads "${THREADS:-$(nproc)}"
$train -m tools.pocket export --all
.venv/bin/python -m tools.pocket evaluate
