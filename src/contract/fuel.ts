/**
 * What one check may still do, about 0.1 µs a unit: calls of generated functions, branches of large unions, texts held
 * against expressions. Two branches that both lead back to their own schema are tried anew at each level, so a few
 * hundred nested bytes could ask for 2^64 calls.
 */
const BASE_FUEL = 2_000_000
export const fuel = { left: BASE_FUEL }
const FUEL_PER_BYTE = 1
const MAX_FUEL_BYTES = 4_194_304
/** A call, with the errors it hands on. */
export const CALL_FUEL = 5

export const SPENT = new Error('a check took more steps than its value is worth')

/** Begins a check of a value that took so many bytes. */
export function grantFuel(bytes: number): void {
  fuel.left = BASE_FUEL + FUEL_PER_BYTE * Math.min(bytes, MAX_FUEL_BYTES)
}

export function spent(): never {
  throw SPENT
}

/** Takes so much of it. @throws SPENT where it is not there. */
export function burn(units: number): void {
  fuel.left -= units
  if (fuel.left < 0) throw SPENT
}
