#!/usr/bin/env bash
# Makes .venv with the locked dependencies and the quorate command. Says what is missing before it starts.
set -euo pipefail
cd "$(dirname "$0")/.."

missing() { # what, why, the command that mends it
  printf 'Missing: %s (%s).\nMend it with:\n    %s\n' "$1" "$2" "$3" >&2
  exit 1
}

install_hint() { # Debian packages
  local sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo "
  if command -v apt-get >/dev/null; then echo "${sudo}apt-get update && ${sudo}apt-get install -y $1"
  elif command -v dnf >/dev/null; then echo "${sudo}dnf install -y $2"
  elif command -v brew >/dev/null; then echo "brew install $3"
  else echo "install $1 with this system's package manager"; fi
}

suitable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in ${QUORATE_PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3; do
    if command -v "$candidate" >/dev/null && suitable "$candidate"; then echo "$candidate"; return; fi
  done
}

python=$(find_python)
[ -n "$python" ] || missing "Python 3.11 to 3.14 with venv" "found: $(python3 --version 2>&1 || echo none)" \
  "$(install_hint 'python3 python3-venv python3-dev' 'python3 python3-devel' 'python@3.12')"
for compiler in "${CC:-cc}" "${CXX:-c++}"; do
  command -v "$compiler" >/dev/null || missing "a C and C++ compiler" "$compiler is not on PATH; llama.cpp is compiled here" \
    "$(install_hint 'build-essential' 'gcc gcc-c++ make' 'gcc')"
done

say() { printf '\n== %s\n' "$*"; }
say "Python environment in .venv ($("$python" --version))"
[ -x .venv/bin/python ] && suitable .venv/bin/python || { rm -rf .venv; "$python" -m venv .venv; }

say "Locked dependencies (llama.cpp is compiled once, about four minutes on two cores)"
# The vision tools of llama.cpp are not used and double the compile time.
export CMAKE_ARGS="-DLLAVA_BUILD=OFF ${CMAKE_ARGS:-}"
log=.venv/install.log
.venv/bin/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock >"$log" 2>&1 &
job=$!
trap 'kill $job 2>/dev/null || true' INT TERM
started=$SECONDS
while kill -0 $job 2>/dev/null; do
  sleep 2
  line=$(grep -oE '^ *(Collecting|Building wheel for|Installing collected|Using cached|Downloading) ?[^ (]*' "$log" | tail -n 1 || true)
  if [ -t 1 ]; then printf '\r\033[K   %4d s  %s' $((SECONDS - started)) "$line"
  elif [ $(((SECONDS - started) % 30)) -lt 2 ]; then printf '   %4d s  %s\n' $((SECONDS - started)) "$line"; fi
done
[ -t 1 ] && printf '\n'
if ! wait $job; then
  tail -n 25 "$log" >&2
  printf '\nThe dependencies could not be installed; the whole log is in %s.\n' "$log" >&2
  exit 1
fi
.venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
touch .venv/.quorate-ready
say "Ready in $((SECONDS - started)) s. Try: .venv/bin/quorate --help"
