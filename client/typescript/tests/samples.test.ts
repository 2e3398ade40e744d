/** The samples do what the README says they do, and the watching one misses and repeats nothing. */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, Side } from "lotkeeper";
import { Sidecar, skip } from "./sidecar.js";

const PACKAGE = new URL("../../", import.meta.url);
const README = readFileSync(new URL("README.md", PACKAGE), "utf8");
const RESTARTS = 20;
const DIFFERENT = 3; // exit code of reconcile_on_startup where ledger and broker differ

function program(sample: string): string {
  return fileURLToPath(new URL(`build/samples/${sample}.js`, PACKAGE));
}

/** The block of output in the README that follows the sample's code. */
function printed(sample: string): string {
  const code = readFileSync(new URL(`samples/${sample}.ts`, PACKAGE), "utf8");
  const found = README.indexOf("```ts\n" + code + "```\n");
  assert.notEqual(found, -1, `README.md does not have samples/${sample}.ts as it is`);
  return /```text\n([^]*?)```/.exec(README.slice(found))?.[1] ?? "";
}

function run(sample: string, address: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const ran = execFile(process.execPath, [program(sample), address], (_, output, errors) => {
      resolve({ code: ran.exitCode ?? -1, output: output + errors });
    });
  });
}

test("record_and_close prints what the README says", { skip }, async () => {
  await using sidecar = await Sidecar.start();
  assert.deepEqual(await run("record_and_close", sidecar.address), { code: 0, output: printed("record_and_close") });
});

test("reconcile_on_startup prints what the README says", { skip }, async () => {
  await using sidecar = await Sidecar.start();
  const { code, output } = await run("reconcile_on_startup", sidecar.address);
  assert.deepEqual({ code, output }, { code: DIFFERENT, output: printed("reconcile_on_startup") });
});

test(`watch_pnl sees every closed trade once across ${RESTARTS} restarts`, { skip }, async () => {
  assert.match(printed("watch_pnl"), /^snapshot .*\nclosed .*\ndisconnected .*\nsnapshot /);
  await using sidecar = await Sidecar.start();
  using ledger = connect(sidecar.address, { portfolio: "watched", timeoutMs: 60_000 });
  const watching = spawn(process.execPath, [program("watch_pnl"), sidecar.address], { stdio: ["ignore", "pipe", "inherit"] });
  const closed: string[] = [];
  const made: string[] = [];
  const lines = createInterface({ input: watching.stdout })[Symbol.asyncIterator]();
  const until = async (wanted: (line: string) => boolean): Promise<void> => {
    for (;;) {
      const { done, value: line } = await lines.next();
      assert.ok(!done, "watch_pnl ended");
      if (line.startsWith("closed ")) closed.push(line.split(" ")[1] as string);
      if (wanted(line)) return;
    }
  };
  const trade = async (price: string): Promise<string> => {
    const fill = { symbol: "BTC-USD", quantity: "1" };
    const id = `${made.length}`;
    await ledger.recordFill({ fill: { ...fill, side: Side.BUY, price: "10", fillId: `in-${id}` } });
    const sold = await ledger.recordFill({ fill: { ...fill, side: Side.SELL, price, fillId: `out-${id}` } });
    const [{ tradeId } = { tradeId: "" }] = sold.closedTrades;
    made.push(tradeId);
    return tradeId;
  };
  try {
    await until((line) => line.startsWith("snapshot "));
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      // What is closed right before the end may be seen before it, or after it: once.
      await trade("11");
      await sidecar.end(restart % 2 ? "SIGTERM" : "SIGKILL");
      await sidecar.restart();
      const last = await trade("12");
      await until((line) => line.startsWith(`closed ${last} `));
    }
    assert.deepEqual(closed, made);
  } finally {
    const gone = once(watching, "exit");
    watching.kill("SIGTERM");
    const [code] = await gone;
    assert.equal(code, 0);
  }
});
