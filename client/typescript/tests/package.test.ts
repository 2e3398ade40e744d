/** What the package holds: fresh stubs, the version of the server, a lock file that names no registry. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { VERSION } from "lotkeeper";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const REPOSITORY = join(PACKAGE, "..", "..");

function filesIn(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts")).sort();
  return new Map(names.map((name) => [name.split(sep).join("/"), readFileSync(join(folder, name), "utf8")]));
}

test("the committed stubs are what the contract gives: otherwise `npm run generate`, and commit", (context) => {
  const fresh = mkdtempSync(join(tmpdir(), "lotkeeper-stubs-"));
  try {
    const ran = spawnSync(process.execPath, [join(PACKAGE, "scripts", "generate.mjs"), fresh], { encoding: "utf8" });
    if (ran.stderr.includes("ENOENT") && process.env["LOTKEEPER_DEMAND_ALL"] !== "1") return context.skip(ran.stderr);
    assert.equal(ran.status, 0, ran.stderr);
    assert.deepEqual(filesIn(join(PACKAGE, "src", "gen")), filesIn(join(fresh, "src", "gen")));
  } finally {
    rmSync(fresh, { recursive: true });
  }
});

test("the version is the server's", () => {
  const server = readFileSync(join(REPOSITORY, "server", "lotkeeperd", "__init__.py"), "utf8");
  assert.equal(VERSION, /^__version__ = "(.*)"$/m.exec(server)?.[1]);
});

test("the licence is the project's", () => {
  assert.equal(readFileSync(join(PACKAGE, "LICENSE"), "utf8"), readFileSync(join(REPOSITORY, "LICENSE"), "utf8"));
});

test("the lock file names versions, and no address to fetch them from", () => {
  assert.doesNotMatch(readFileSync(join(PACKAGE, "package-lock.json"), "utf8"), /"resolved"/);
});

test("npm pack takes what a bot needs, and nothing else", () => {
  const packed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: PACKAGE, stdio: "pipe" });
  const [{ files }] = JSON.parse(packed.toString()) as [{ files: { path: string }[] }];
  const paths = files.map((file) => file.path);
  const wanted = ["package.json", "LICENSE", "README.md", "CHANGELOG.md", "dist/index.js", "dist/index.d.ts", "dist/v1.js"];
  for (const path of wanted) assert.ok(paths.includes(path), path);
  for (const path of paths) {
    assert.match(path, /^(dist|src|samples)\/|^(package\.json|LICENSE|README\.md|CHANGELOG\.md)$/);
    assert.ok(existsSync(join(PACKAGE, path)) && !path.endsWith(".tsbuildinfo"), path);
  }
});
