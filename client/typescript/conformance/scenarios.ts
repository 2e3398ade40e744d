/** Scenarios as their files have them, looked at before anything is run: a word that the format does not know is an error. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { parse } from "yaml";
import { PnLSnapshotSchema, PnLUpdateSchema, PositionSchema, GroupPnLSchema } from "lotkeeper/v1";
import { methodOf } from "./calls.js";
import { MATCHERS, type Json } from "./matching.js";

export type Step = { readonly [key: string]: Json };

export interface Scenario {
  readonly name: string;
  readonly file: string;
  readonly server: { readonly [setting: string]: Json };
  readonly steps: readonly Step[];
}

/** A file that is not as the format wants it. */
export class BadScenario extends Error {}

const SCENARIO_KEYS = ["name", "covers", "server", "steps"];
const REFUSAL_KEYS = ["code", "reason", "metadata", "violations", "retry"];
const STEP_KEYS: { readonly [kind: string]: readonly string[] } = {
  call: ["request", "answer", "refusal"],
  calls: ["requests", "answers", "refusal"],
  open: ["stream", "request", "follow"],
  expect: ["snapshot", "facts", "position", "group", "heartbeat", "refusal", "sequence", "ledger_id"],
  close: [],
  restart: [],
};
const EXPECTED: { readonly [key: string]: DescMessage } = {
  snapshot: PnLSnapshotSchema,
  facts: PnLUpdateSchema,
  position: PositionSchema,
  group: GroupPnLSchema,
};

/** All scenarios of the files in `folder`. @throws BadScenario one of them is not as the format wants it. */
export function scenarios(folder: string): Scenario[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml")).sort();
  const found = files.flatMap((file) => readFile(join(folder, file), file));
  const names = found.map((scenario) => scenario.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new BadScenario(`two scenarios are named ${JSON.stringify(twice)}; give each its own`);
  return found;
}

function readFile(path: string, file: string): Scenario[] {
  const listed = parse(readFileSync(path, "utf8")) as Json;
  if (!Array.isArray(listed)) throw new BadScenario(`${file}: not a list of scenarios`);
  return listed.map((given) => {
    const scenario = map(given, file);
    const name = String(scenario["name"]);
    const where = `${file}: ${name}`;
    only(scenario, SCENARIO_KEYS, where);
    const steps = list(scenario["steps"], `${where}: steps`).map((step, index) => map(step, `${where}: step ${index + 1}`));
    steps.forEach((step, index) => checkStep(step, `${where}: step ${index + 1}`));
    return { name, file, server: map(scenario["server"] ?? {}, where), steps };
  });
}

function checkStep(step: Step, where: string): void {
  const kind = Object.keys(STEP_KEYS).find((each) => each in step);
  if (!kind) throw new BadScenario(`${where}: none of ${Object.keys(STEP_KEYS).join(", ")}`);
  only(step, [kind, ...(STEP_KEYS[kind] as readonly string[])], where);
  if (step["refusal"] !== undefined) only(map(step["refusal"], where), REFUSAL_KEYS, `${where}: refusal`);
  const name = step["call"] ?? step["calls"] ?? step["stream"];
  if (name !== undefined) checkMessages(step, String(name), where);
  for (const [key, schema] of Object.entries(EXPECTED)) {
    if (kind === "expect" && step[key] !== undefined) checkFields(schema, step[key], `${where}: ${key}`);
  }
}

function checkMessages(step: Step, name: string, where: string): void {
  const { input, output } = methodOf(name);
  if (step["request"] !== undefined) checkFields(input, step["request"], `${where}: request`);
  if (step["answer"] !== undefined) checkFields(output, step["answer"], `${where}: answer`);
  for (const each of list(step["requests"] ?? [], where)) checkFields(input, each, `${where}: requests`);
  for (const each of list(step["answers"] ?? [], where)) checkFields(output, each, `${where}: answers`);
}

/** See that `value` names no field that `schema` does not have. */
function checkFields(schema: DescMessage, value: Json, where: string): void {
  if (value === null || typeof value !== "object" || Array.isArray(value) || isMatcher(value)) return;
  if (schema.typeName.startsWith("google.protobuf.")) return;
  for (const [name, item] of Object.entries(value)) {
    const field = schema.fields.find((each) => each.name === name);
    if (!field) throw new BadScenario(`${where}: ${schema.name} has no field ${name}`);
    const nested = messageOf(field);
    if (nested) for (const each of Array.isArray(item) ? item : [item]) checkFields(nested, each, `${where}.${name}`);
  }
}

function messageOf(field: DescField): DescMessage | undefined {
  if (field.fieldKind === "message") return field.message;
  return field.fieldKind === "list" && field.listKind === "message" ? field.message : undefined;
}

function isMatcher(value: { [name: string]: Json }): boolean {
  const keys = Object.keys(value);
  return keys.length === 1 && MATCHERS.has(keys[0] as string);
}

function only(given: object, known: readonly string[], where: string): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new BadScenario(`${where}: unknown key ${unknown}; known are ${known.join(", ")}`);
}

function map(value: Json | undefined, where: string): { [name: string]: Json } {
  if (value === undefined || value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new BadScenario(`${where}: not a map`);
  }
  return value;
}

function list(value: Json | undefined, where: string): Json[] {
  if (!Array.isArray(value)) throw new BadScenario(`${where}: not a list`);
  return value;
}
