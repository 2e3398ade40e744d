/** What equals what: an answer as protobuf JSON against what a scenario says of it. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Values by name, that strings of a scenario stand for. */
export type Names = Map<string, Json>;

/** What does not match, and where. */
export class Mismatch extends Error {}

/** Maps that are no message but a matcher. */
export const MATCHERS: ReadonlySet<string> = new Set(["save", "greater", "contains"]);

const REST = "...";
const WHOLE = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})$/;
const NAME = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g;

/** `value` with names replaced by what they stand for. */
export function filled(value: Json, names: Names): Json {
  if (typeof value === "string") return filledText(value, names);
  if (Array.isArray(value)) return value.map((item) => filled(item, names));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, names)]));
}

function filledText(text: string, names: Names): Json {
  const whole = WHOLE.exec(text);
  if (whole) return valueOf((whole[1] ?? whole[2])!, names);
  return text.replace(NAME, (_, dollar?: string, plain?: string, braced?: string) =>
    dollar ? "$" : String(valueOf((plain ?? braced)!, names)),
  );
}

function valueOf(name: string, names: Names): Json {
  const value = names.get(name);
  if (value === undefined) throw new Mismatch(`no step has saved $${name}`);
  return value;
}

/**
 * See that `actual`, undefined where a field is not set, is what was `expected`; what it saves goes to `names`.
 *
 * @throws Mismatch it is not; `path` says where.
 */
export function match(expected: Json, actual: Json | undefined, path: string, names: Names): void {
  if (Array.isArray(expected)) return matchList(expected, actual, path, names);
  if (expected !== null && typeof expected === "object") return matchMap(expected, actual, path, names);
  const same =
    expected === null
      ? actual === undefined || actual === null
      : typeof expected === "number"
        ? isWhole(actual) && BigInt(actual) === BigInt(expected)
        : expected === actual;
  if (!same) throw new Mismatch(`${path}: expected ${shown(expected)}, got ${shown(actual)}`);
}

function matchList(expected: Json[], actual: Json | undefined, path: string, names: Names): void {
  const open = expected.at(-1) === REST;
  const wanted = open ? expected.slice(0, -1) : expected;
  const length = Array.isArray(actual) ? actual.length : -1;
  if (!Array.isArray(actual) || (open ? length < wanted.length : length !== wanted.length)) {
    throw new Mismatch(`${path}: expected ${open ? "at least " : ""}${wanted.length} items, got ${shown(actual)}`);
  }
  wanted.forEach((item, index) => match(item, actual[index], `${path}[${index}]`, names));
}

function matchMap(expected: { [name: string]: Json }, actual: Json | undefined, path: string, names: Names): void {
  const [key, ...others] = Object.keys(expected);
  if (key !== undefined && !others.length && MATCHERS.has(key)) {
    return matchSpecial(key, expected[key] as Json, actual, path, names);
  }
  if (actual === undefined || actual === null || typeof actual !== "object" || Array.isArray(actual)) {
    throw new Mismatch(`${path}: expected a map, got ${shown(actual)}`);
  }
  for (const [name, item] of Object.entries(expected)) match(item, actual[name], `${path}.${name}`, names);
}

function matchSpecial(kind: string, wanted: Json, actual: Json | undefined, path: string, names: Names): void {
  if (kind === "save") {
    if (actual === undefined || actual === null || actual === "") throw new Mismatch(`${path}: expected a value, got none`);
    names.set(String(wanted), actual);
  } else if (kind === "greater") {
    if (!isWhole(actual) || !isWhole(wanted) || BigInt(actual) <= BigInt(wanted)) {
      throw new Mismatch(`${path}: expected more than ${shown(wanted)}, got ${shown(actual)}`);
    }
  } else if (typeof actual !== "string" || !actual.includes(String(wanted))) {
    throw new Mismatch(`${path}: expected a text with ${shown(wanted)} in it, got ${shown(actual)}`);
  }
}

function isWhole(value: Json | undefined): value is string | number {
  return Number.isInteger(value) || (typeof value === "string" && /^-?[0-9]+$/.test(value));
}

/** A value as a line of a report shows it. */
export function shown(value: Json | undefined): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
