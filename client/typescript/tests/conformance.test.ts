/** The conformance scenarios against a real sidecar; those that restart it need the harness in `tests/conformance`. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Sidecar, skip } from "./sidecar.js";
import { filled, match, Mismatch, type Json, type Names } from "../conformance/matching.js";

const RUNNER = fileURLToPath(new URL("../conformance/main.js", import.meta.url));
const SCENARIOS = fileURLToPath(new URL("../../../../tests/conformance/", import.meta.url));

interface Ran {
  readonly code: number;
  readonly lines: string[];
}

function run(...words: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const ran = execFile(process.execPath, [RUNNER, ...words], (_, output, errors) => {
      resolve({ code: ran.exitCode ?? -1, lines: (output + errors).trim().split("\n") });
    });
  });
}

test("every scenario that needs no restart passes", { skip }, async () => {
  assert.ok(existsSync(SCENARIOS), `there are no scenarios in ${SCENARIOS}`);
  await using sidecar = await Sidecar.start();
  const { code, lines } = await run("--address", sidecar.address);
  const summary = JSON.parse(lines.at(-1) as string) as { passed: number; failures: Json[]; skips: { reason: string }[] };
  assert.deepEqual(summary.failures, []);
  assert.ok(summary.passed >= 60, `${summary.passed} passed`);
  for (const { reason } of summary.skips) assert.match(reason, /^needs a /);
  assert.equal(code, 0);
});

test("wrong arguments and files are exit code 2", async () => {
  assert.equal((await run()).code, 2);
  assert.equal((await run("--address", "127.0.0.1:1", "--scenarios", "nowhere")).code, 2);
  assert.equal((await run("--adress", "127.0.0.1:1")).code, 2);
});

test("what equals what", () => {
  const names: Names = new Map<string, Json>([
    ["run", "bcd"],
    ["seen", "5"],
  ]);
  const equal: [Json, Json | undefined][] = [
    [{ a: "1" }, { a: "1", b: 2 }],
    [["x", "..."], ["x", "y"]],
    [5, "5"],
    [null, undefined],
    [{ greater: "$seen" }, "6"],
    [{ contains: "b" }, "abc"],
    ["$run-$$1 ${run}", "bcd-$1 bcd"],
    [{ save: "kept" }, "7"],
    ["$kept", "7"],
  ];
  for (const [expected, actual] of equal) match(filled(expected, names), actual, "it", names);
  const different: [Json, Json | undefined][] = [
    ["1.0", "1"],
    [["x"], ["x", "y"]],
    [["x", "y", "..."], ["x"]],
    [5, "6"],
    [true, 1],
    [null, ""],
    [{ greater: 6 }, "6"],
    [{ contains: "b" }, "c"],
    [{ save: "kept" }, ""],
    [{ a: "1" }, undefined],
    ["$unknown", "x"],
  ];
  for (const [expected, actual] of different) {
    assert.throws(() => match(filled(expected, names), actual, "it", names), Mismatch, JSON.stringify(expected));
  }
});
