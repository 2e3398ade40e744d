#!/bin/sh
# Runs the conformance scenarios through this client: conformance.sh --address HOST:PORT, or under a harness.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
(
  cd "$here"
  mvn -B -q test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath -Dmdep.includeScope=test
) >&2
exec java -cp "$here/target/test-classes:$here/target/classes:$(cat "$here/target/classpath")" \
  dev.lotkeeper.conformance.Conformance --scenarios "$here/../../tests/conformance" "$@"
