/**
 * Write the stubs of the contract: `npm run generate` into src/gen, `node scripts/generate.mjs FOLDER` into FOLDER/src/gen.
 *
 * The plugin is the one that package-lock.json pins. buf itself is the project's: on the PATH, or in its environment, where
 * `make lint-protos` puts it; the npm package of buf is a binary for each platform, and would need them all in the lock file.
 */

import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const places = [join(PACKAGE, "node_modules", ".bin"), process.env.PATH, join(PACKAGE, "..", "..", ".venv", "bin")];

const ran = spawnSync("buf", ["generate", "--output", process.argv[2] ?? "."], {
  cwd: PACKAGE,
  env: { ...process.env, PATH: places.join(delimiter) },
  stdio: "inherit",
});
if (ran.error) console.error(`generate: buf: ${ran.error.message}; 'make lint-protos' installs it, or pip install buf-bin`);
process.exitCode = ran.status ?? 1;
