#!/usr/bin/env bash
# Every static check; a failing one prints the command that mends it. `--fix` mends, `protos` runs those alone.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=0

check() { # name, the command that mends it, the check …
  local name=$1 mend=$2; shift 2
  local output
  if output=$("$@" 2>&1); then printf 'ok      %s\n' "$name"
  else failed=1; printf '%s\nFAILED  %s\n        mend it with: %s\n' "$output" "$name" "$mend"; fi
}

contract_is_compatible() {
  # A fresh repository or a shallow clone has no main to compare with: the last commit is compared then.
  local base=main
  git rev-parse --verify --quiet main >/dev/null || base=HEAD
  git cat-file -e "$base:buf.yaml" 2>/dev/null || { echo "no $base to compare with"; return 0; }
  npx --no-install buf breaking --against ".git#ref=$(git rev-parse "$base")"
}

protos() {
  check "buf lint" "edit the proto as the message says" npx --no-install buf lint
  check "buf format" "make fix" npx --no-install buf format --diff --exit-code
  check "buf breaking" "reserve removed fields, add instead of change" contract_is_compatible
  check "stubs are generated" "make proto" $bin/python tools/protos.py --check
}

if [ "${1:-}" = "--fix" ]; then
  $bin/ruff check --fix --quiet . ; $bin/ruff format --quiet .
  npx --no-install buf format --write && $bin/python tools/protos.py
  $bin/python -m quorate.cli.reference && $bin/python -m services.bench.write_docs
  exit
fi
if [ "${1:-}" = "protos" ]; then protos; exit $failed; fi

check "format" "make fix" $bin/ruff format --check .
check "lint" "make fix, then edit what is left" $bin/ruff check .
check "types" "edit the code as the message says" $bin/mypy
check "imports" "move the code to the layer that may hold it" $bin/lint-imports
check "spelling" "correct the word, or add it to tool.codespell" $bin/codespell
check "command-line reference" "make docs" $bin/python -m quorate.cli.reference --check
check "figures in the documentation" "make docs" $bin/python -m services.bench.write_docs --check
protos
[ $failed = 0 ] && echo "All checks hold."
exit $failed
