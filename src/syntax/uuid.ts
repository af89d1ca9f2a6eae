/**
 * UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits, so ids sort by time.
 * `random` gives at least 10 bytes.
 */
export function uuid7(unixMs: number, random: Uint8Array): string {
  const time = Math.floor(unixMs).toString(16).padStart(12, '0')
  const at = (index: number): number => random[index] ?? 0
  const a = (0x7000 | ((at(0) & 0x0f) << 8) | at(1)).toString(16)
  const b = (0x8000 | ((at(2) & 0x3f) << 8) | at(3)).toString(16)
  const c = hex(at(4)) + hex(at(5)) + hex(at(6)) + hex(at(7)) + hex(at(8)) + hex(at(9))
  return `${time.slice(0, 8)}-${time.slice(8, 12)}-${a}-${b}-${c}`
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex(byte: number): string {
  return HEX[byte] ?? '00'
}

/** The milliseconds a UUIDv7 was made at, or null for any other text. */
export function uuid7Time(id: string): number | null {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)) return null
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}
