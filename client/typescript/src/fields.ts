/**
 * A caller's values as fields of the contract: exact, or refused with the field's name before anything is sent.
 *
 * A number was rounded when it was made, and `String(0.00000001)` is `"1e-8"`, which is no decimal of the contract. A
 * number of milliseconds passes for one of nanoseconds, order ids arrive as numbers, and a misspelled field of an object
 * literal is lost without a word. Therefore every object a caller gives goes through `message`, which knows each field
 * from the contract's own descriptors. What the ledger thinks of a value is judged by the server alone, which names all
 * broken fields at once: lengths, signs, digits.
 */

import {
  create,
  ScalarType,
  type DescEnum,
  type DescField,
  type DescMessage,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import { durationOf, timestamp, type Moment } from "./time.js";

/** Fields that hold decimals, in all messages of the contract. Every other string is plain text. */
const DECIMAL_FIELDS = [
  "quantity",
  "price",
  "entryPrice",
  "exitPrice",
  "averagePrice",
  "costBasis",
  "fee",
  "amount",
  "rate",
  "bid",
  "ask",
  "multiplier",
  "priceStep",
  "sizeStep",
  "strike",
  "cashInLieu",
] as const;

export type DecimalField = (typeof DECIMAL_FIELDS)[number];

/** A decimal of a library that keeps all digits: decimal.js, bignumber.js, big.js. A number has no `plus`, and is none. */
export interface DecimalObject {
  plus(other: never): unknown;
  toFixed(): string;
}

/** An exact decimal: its plain digits, a bigint, or a decimal object. Never a number. */
export type Decimal = string | bigint | DecimalObject;

/** What a caller may give for a message: its fields, with decimals and times in the types that callers have. */
export type Fields<M> = { [K in keyof M as K extends `$${string}` ? never : K]?: Value<K, NonNullable<M[K]>> };

type Value<K, V> = V extends Timestamp
  ? Moment
  : V extends Duration
    ? number
    : V extends string
      ? K extends DecimalField
        ? Decimal
        : V
      : V extends readonly (infer Item)[]
        ? readonly Value<K, Item>[]
        : V extends Message
          ? Fields<V>
          : V extends { case: infer Case; value: infer Chosen }
            ? { case: Case; value: Chosen extends Message ? Fields<Chosen> : Chosen }
            : V;

/** `Fields` of which those named must be there. */
export type Needs<F, K extends keyof F> = Omit<F, K> & { [Each in K]-?: NonNullable<F[Each]> };

const DECIMALS: ReadonlySet<string> = new Set(DECIMAL_FIELDS);
const PLAIN = /^-?[0-9]+(\.[0-9]+)?$/;
const LAST_INT32 = 2 ** 31 - 1;
const LAST_INT64 = 2n ** 63n - 1n;

/** Names of the fields that hold decimals, for the test that compares them with the contract. */
export const decimalFields: ReadonlySet<string> = DECIMALS;

/**
 * `given` as a message of `schema`; `path` is put before field names in what is thrown. What is undefined stays unset.
 *
 * @throws TypeError a number for a decimal or a time, a field the message does not have, or another type that cannot be
 *   sent exactly.
 * @throws RangeError a value of the right type that the contract cannot carry.
 */
export function message<D extends DescMessage>(schema: D, given: object, path = ""): MessageShape<D> {
  const init: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || name.startsWith("$")) continue;
    const field = schema.field[name];
    if (field) init[name] = converted(field, value, path + name);
    else if (schema.oneofs.some((oneof) => oneof.localName === name)) init[name] = oneof(schema, value, path);
    else throw new TypeError(`${path}${name}: ${schema.name} has no such field; it has ${fieldNames(schema)}`);
  }
  return create(schema, init as MessageInitShape<D>);
}

/**
 * `value` as plain digits without an exponent, exactly.
 *
 * @throws TypeError a number, or no number at all.
 * @throws RangeError text that is not plain digits, or a decimal object that is not finite.
 */
export function decimalText(field: string, value: unknown): string {
  if (typeof value === "number") {
    throw new TypeError(`${field}: ${value} is a number, rounded already; pass the venue's text, or a Decimal`);
  }
  if (typeof value === "string" || typeof value === "bigint" || isDecimalObject(value)) {
    const text = typeof value === "object" ? value.toFixed() : String(value);
    if (PLAIN.test(text)) return text;
    throw new RangeError(
      `${field}: ${shown(text)} is not plain digits; pass such as "-1234.5", without exponent, plus sign or spaces`,
    );
  }
  throw new TypeError(`${field}: ${shown(value)} is no decimal; pass a string, a bigint or a Decimal`);
}

/**
 * `value` if it is text.
 *
 * @throws TypeError it is not; many venues number their orders.
 */
export function text(field: string, value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`${field}: ${shown(value)} is no string; pass String(...) of it`);
  return value;
}

/**
 * `value` if it is a time one can wait, in milliseconds.
 *
 * @throws RangeError it is 0, negative, or for ever: a call without a deadline could hang a bot.
 */
export function waitingTime(field: string, value: number): number {
  if (!(value > 0 && value < Infinity)) {
    throw new RangeError(`${field}: ${value} is not a time to wait; pass milliseconds, more than 0 and not infinite`);
  }
  return value;
}

function isDecimalObject(value: unknown): value is DecimalObject {
  return (
    typeof value === "object" &&
    value !== null &&
    "plus" in value &&
    "toFixed" in value &&
    typeof value.toFixed === "function"
  );
}

function converted(field: DescField, value: unknown, path: string): unknown {
  switch (field.fieldKind) {
    case "scalar":
      return scalar(field.scalar, field.localName, value, path);
    case "enum":
      return member(field.enum, value, path);
    case "message":
      return nested(field.message, value, path);
    case "list":
      if (!Array.isArray(value)) throw new TypeError(`${path}: ${shown(value)} is no array; pass [${shown(value)}]`);
      return value.map((item: unknown, index) => listed(field, item, `${path}[${index}]`));
    case "map":
      return Object.fromEntries(
        Object.entries(object(value, path)).map(([key, item]) => [key, text(`${path}[${shown(key)}]`, item)]),
      );
  }
}

function listed(field: DescField & { fieldKind: "list" }, item: unknown, path: string): unknown {
  if (field.listKind === "message") return nested(field.message, item, path);
  if (field.listKind === "enum") return member(field.enum, item, path);
  return scalar(field.scalar, field.localName, item, path);
}

function scalar(kind: ScalarType, name: string, value: unknown, path: string): unknown {
  switch (kind) {
    case ScalarType.STRING:
      return DECIMALS.has(name) ? decimalText(path, value) : text(path, value);
    case ScalarType.BOOL:
      if (typeof value !== "boolean") throw new TypeError(`${path}: ${shown(value)} is no boolean; pass true or false`);
      return value;
    case ScalarType.INT32:
      if (!Number.isInteger(value)) throw new TypeError(`${path}: ${shown(value)} is no whole number; pass such as 100`);
      if (Math.abs(value as number) > LAST_INT32) {
        throw new RangeError(`${path}: ${shown(value)} is beyond ${LAST_INT32}; pass a smaller one`);
      }
      return value;
    default:
      if (typeof value !== "bigint") throw new TypeError(`${path}: ${shown(value)} is no bigint; pass such as 42n`);
      if (value > LAST_INT64 || value < -LAST_INT64) {
        throw new RangeError(`${path}: ${value} is beyond ${LAST_INT64}; pass a smaller one`);
      }
      return value;
  }
}

function member(kind: DescEnum, value: unknown, path: string): unknown {
  if (typeof value === "number" && kind.value[value]) return value;
  const known = kind.values.filter((each) => each.number !== 0).map((each) => `${kind.name}.${each.localName}`);
  throw new TypeError(`${path}: ${shown(value)} is not a ${kind.name}; pass one of ${known.join(", ")}`);
}

function nested(schema: DescMessage, value: unknown, path: string): unknown {
  if (schema.typeName === "google.protobuf.Timestamp") return timestamp(path, value as Moment);
  if (schema.typeName === "google.protobuf.Duration") return durationOf(path, value as number);
  return message(schema, object(value, path), `${path}.`);
}

function oneof(schema: DescMessage, value: unknown, path: string): unknown {
  const chosen = value as { case?: string; value?: unknown };
  const field = chosen.case === undefined ? undefined : schema.field[chosen.case];
  return field ? { case: chosen.case, value: converted(field, chosen.value, path + field.localName) } : chosen;
}

function object(value: unknown, path: string): object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${path}: ${shown(value)} is no object; pass one with the fields of the contract`);
  }
  return value;
}

function fieldNames(schema: DescMessage): string {
  return schema.fields.map((field) => field.localName).join(", ");
}

/** A value as it reads in a message: text in quotes, so that an empty one is seen. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(value);
}
