#!/usr/bin/env bash
# The clients' own tests, each by the command that its language's people use, against sidecars of this project.
# A language that is not installed is skipped, and named; LOTKEEPER_DEMAND_ALL=1 makes that a failure.
#   client/test.sh [LANGUAGE...]      all of them unless named
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd .. && pwd)
export LOTKEEPER_SERVER="$root/.venv/bin/python -m lotkeeperd" PATH="$root/.venv/bin:$PATH"
wanted=${*:-go typescript java rust}
passed=() failed=() skipped=()

# language NAME TOOLS COMMAND: run it in the client's folder, when its tools are there.
language() {
  local name=$1 tools=$2 command=$3 tool started=$SECONDS
  [[ " $wanted " == *" $name "* ]] || return 0
  for tool in $tools; do
    command -v "$tool" >/dev/null || { skipped+=("$name (there is no $tool)"); return 0; }
  done
  printf '\n=== the client in %s: %s\n' "$name" "$command"
  if (cd "$name" && bash -euo pipefail -c "$command"); then
    passed+=("$name ($((SECONDS - started)) s)")
  else
    failed+=("$name")
  fi
}

language go "go" "go vet ./... && go test -p 1 -count=1 ./... && ./generate.sh --check"
language typescript "node npm" "npm ci --no-audit --no-fund && npm test"
language java "javac mvn" "mvn --batch-mode --no-transfer-progress test"
language rust "cargo" "cargo test"

# told WORDS LANGUAGE...: one line, when there are any.
told() {
  local words=$1
  shift
  [ "$#" -eq 0 ] || printf '%s: %s\n' "$words" "$(printf '%s, ' "$@" | sed 's/, $//')"
}
echo
told "clients that hold" "${passed[@]}"
told "clients that were not tried" "${skipped[@]}"
told "clients that failed" "${failed[@]}"
[ "${#failed[@]}" -eq 0 ] && { [ -z "${LOTKEEPER_DEMAND_ALL:-}" ] || [ "${#skipped[@]}" -eq 0 ]; }
