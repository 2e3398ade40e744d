/**
 * Times without loss. The contract counts nanoseconds, a `Date` milliseconds: a time read into a `Date` and sent back
 * would be another one, and the ledger's order of lots hangs on it. Therefore an exact time is a bigint of nanoseconds
 * since 1970 UTC.
 */

import { create } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema, type Duration, type Timestamp } from "@bufbuild/protobuf/wkt";

/** A moment: nanoseconds since 1970 UTC, a `Date`, or a time as an answer has it. Never a number: of what? */
export type Moment = bigint | Date | Timestamp;

const A_SECOND = 1_000_000_000n;
const LAST_NANOSECOND = 2n ** 63n - 1n;

/** `time` of an answer as nanoseconds since 1970 UTC, exactly. */
export function nanoseconds(time: Timestamp): bigint {
  return time.seconds * A_SECOND + BigInt(time.nanos);
}

/** `time` of an answer as a `Date`, cut to the milliseconds it can hold. */
export function date(time: Timestamp): Date {
  return new Date(Number(time.seconds) * 1000 + Math.floor(time.nanos / 1_000_000));
}

/** The time now, in nanoseconds UTC; as fine as the machine's clock is read. */
export function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

/** Milliseconds from `start` to `end`, both in nanoseconds. */
export function millisecondsBetween(start: bigint, end: bigint): number {
  return Number(end - start) / 1e6;
}

/**
 * `value` as the contract's time, without loss.
 *
 * @throws TypeError it is a number or no time at all.
 * @throws RangeError it is no valid date, or beyond int64 nanoseconds.
 */
export function timestamp(field: string, value: Moment): Timestamp {
  const total = totalNanoseconds(field, value);
  if (total > LAST_NANOSECOND || total < -LAST_NANOSECOND) {
    throw new RangeError(`${field}: ${total} is beyond int64 nanoseconds since 1970, which reach to the year 2262`);
  }
  const nanos = ((total % A_SECOND) + A_SECOND) % A_SECOND;
  return create(TimestampSchema, { seconds: (total - nanos) / A_SECOND, nanos: Number(nanos) });
}

function totalNanoseconds(field: string, value: unknown): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new RangeError(`${field}: an invalid Date names no moment; pass a valid one`);
    return BigInt(value.getTime()) * 1_000_000n;
  }
  if (typeof value === "object" && value !== null && "seconds" in value && "nanos" in value) {
    return nanoseconds(value as Timestamp);
  }
  throw new TypeError(`${field}: ${String(value)} is no time; pass a Date, or a bigint of nanoseconds since 1970 UTC`);
}

/**
 * `milliseconds` as the contract's duration.
 *
 * @throws RangeError it is negative or not finite.
 */
export function durationOf(field: string, milliseconds: number): Duration {
  if (!(milliseconds >= 0 && milliseconds < Infinity)) {
    throw new RangeError(`${field}: ${milliseconds} is not a duration; pass milliseconds, 0 or more`);
  }
  const total = BigInt(Math.round(milliseconds * 1e6));
  return create(DurationSchema, { seconds: total / A_SECOND, nanos: Number(total % A_SECOND) });
}
