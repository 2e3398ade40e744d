#!/bin/sh
# Writes the stubs in lotkeeperv1 again. `generate.sh --check` writes them elsewhere and fails when the committed ones differ.
# Needs buf: the one that BUF names, the project's own (`make check` installs it), or the one in PATH.
set -eu
cd "$(dirname "$0")"

if [ -z "${BUF:-}" ]; then
  BUF=../../.venv/bin/buf
  [ -x "$BUF" ] || BUF=$(command -v buf) || { echo "generate.sh: there is no buf; run 'make check' first, or set BUF" >&2; exit 1; }
fi

if [ "${1:-}" != --check ]; then
  exec "$BUF" generate
fi

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$BUF" generate --output "$fresh"
diff -r --brief "$fresh/lotkeeperv1" lotkeeperv1 && echo "stubs are fresh" || {
  echo "the committed Go stubs are not what the protos give: run client/go/generate.sh and commit" >&2
  exit 1
}
