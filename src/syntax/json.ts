/**
 * Strict JSON, RFC 8259 read as I-JSON (RFC 7493) would: outside bytes become a value here, once.
 *
 * Two parsers that read one body differently are the attack (duplicate keys, bad UTF-8, lone surrogates), so every
 * byte on which parsers are known to differ is refused. One pass over the bytes checks grammar, rules and bounds and
 * builds nothing; only what passed goes to the native JSON.parse. A pass that builds the values, measured without most
 * of the rules, gained 0 to 15 % on ordinary bodies and lost on long strings; this way they are JSON.parse's own. The
 * caller forwards the same bytes, so it must own them: nobody may write to them meanwhile.
 */
import { Buffer, isAscii, isUtf8 } from 'node:buffer'
import { buildJson } from './json-build.ts'
import { numberFate } from './json-number.ts'
import { escapePointer } from './json-pointer.ts'
import {
  BAD_ESCAPE,
  escapeUnit,
  hasExponent,
  invalidUtf8At,
  nameEnd,
  numberEnd,
  plainEnd,
  spaceEnd,
  stringEnd,
} from './json-tokens.ts'

export { escapePointer, parsePointer, readPointer } from './json-pointer.ts'

export interface JsonLimits {
  /** Of the whole body. */
  readonly maxBytes: number
  /** Arrays and objects inside one another; a lone scalar has depth 0. */
  readonly maxDepth: number
  /** Values of every kind, containers included, keys not. */
  readonly maxNodes: number
  /** Of one string or key as sent, between its quotes; unescaped it is never longer. */
  readonly maxStringBytes: number
  /** Of one object. */
  readonly maxKeys: number
}

/**
 * Well above what APIs send and well below what hurts: 1 MiB is the usual gateway body, depth 64 keeps any recursive
 * reader behind us safe, and 65,536 nodes bound what the values weigh, which the bytes alone do not (`[],` is 3 of
 * them for an array).
 */
export const DEFAULT_JSON_LIMITS: JsonLimits = Object.freeze({
  maxBytes: 1_048_576,
  maxDepth: 64,
  maxNodes: 65_536,
  maxStringBytes: 262_144,
  maxKeys: 1_024,
})

export type JsonRule =
  | 'empty'
  | 'bom'
  | 'invalid-utf8'
  | 'syntax'
  | 'duplicate-key'
  | 'lone-surrogate'
  | 'depth'
  | 'size'
  | 'nodes'
  | 'string-size'
  | 'keys'
  | 'forbidden-key'
  | 'number-precision'
  | 'trailing'

export type JsonFault = {
  readonly rule: JsonRule
  /**
   * RFC 6901: the value at fault, or the container whose separator or key is. Names, never values; at most 256
   * characters, the last then `…`.
   */
  readonly pointer: string
  /** In bytes from the beginning. */
  readonly offset: number
}

export type JsonScan =
  /** `exact` is false where a number literal does not survive as an IEEE double (see json-number.ts). */
  | { readonly ok: true; readonly value: unknown; readonly exact: boolean }
  | { readonly ok: false; readonly fault: JsonFault }

/** Reads one JSON text, or gives the first fault in byte order. Never throws. */
export function scanJson(bytes: Uint8Array, limits: JsonLimits = DEFAULT_JSON_LIMITS): JsonScan {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length > limits.maxBytes) return refuse('size', '', limits.maxBytes)
  // RFC 8259 §8.1 lets a parser ignore the mark; some do and some choke, so it is refused.
  if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) return refuse('bom', '', 0)

  const ascii = isAscii(buffer)
  const end = ascii || isUtf8(buffer) ? buffer.length : invalidUtf8At(buffer)
  const text = ascii ? buffer.toString('latin1') : undefined
  const scan = walk(buffer, end, text, limits)
  if (typeof scan !== 'boolean') {
    return {
      ok: false,
      fault: scan.offset >= end && end < buffer.length ? { ...scan, rule: 'invalid-utf8' } : scan,
    }
  }
  if (end < buffer.length) return refuse('invalid-utf8', '', end)
  try {
    const parsed = text ?? buffer.toString('utf8')
    const value: unknown = escapedNames ? buildJson(parsed) : JSON.parse(parsed)
    return { ok: true, value, exact: scan }
  } catch {
    // Cannot happen while this scanner is as strict as JSON.parse; if it ever is not, that must not pass or throw.
    return refuse('syntax', '', 0)
  }
}

const refuse = (rule: JsonRule, pointer: string, offset: number): JsonScan => ({
  ok: false,
  fault: { rule, pointer, offset },
})

/**
 * Up to here an object's keys are compared one with another, beyond they go into a Set. The Set wins from about 48;
 * 32 halves the worst case, keys alike but for one byte.
 */
const COMPARED_KEYS = 32
/** A number as short as this without an exponent is an integer below 2^53 or a fraction that prints back the same. */
const SAFE_LENGTH = 15
const POINTER_LENGTH = 256

const ARRAY = 0
const OBJECT = 1

// Scratch kept between calls, which are synchronous and never nested: allocating it would cost as much as scanning a
// small body. It holds numbers only, nothing of the client's.
/** For each container around the current one: kind, count, first of its `keys`, current key's first and end byte. */
let frames = new Int32Array(5 * 66)
/** For each compared key: fingerprint, first byte, end byte. */
let keys = new Int32Array(3 * 1024)
/** A member name of the text just checked has an escape: JSON.parse may misread it (json-build.ts). */
let escapedNames = false

/**
 * Checks the grammar, the rules and the bounds of bytes[0..end). True: all numbers exact; false: some are not.
 * One loop with its own stack, because hostile depth must cost no call stack whatever the limit says.
 */
function walk(
  bytes: Buffer,
  end: number,
  ascii: string | undefined,
  limits: JsonLimits,
): boolean | JsonFault {
  const { maxDepth, maxNodes, maxStringBytes, maxKeys } = limits
  let exact = true
  escapedNames = false
  let nodes = 0
  let i = 0
  // The container we are in: its depth (0: none), kind, members before this one, keys to compare, current key.
  let depth = 0
  let kind = ARRAY
  let count = 0
  let keyBase = 0
  let keyStart = 0
  let keyEnd = 0
  let keyTop = 0
  /** By depth, the open objects whose keys are in a Set. */
  let sets: Map<number, Set<string>> | undefined
  let rule: JsonRule
  /** Whether the fault is at a member of the container, not at the container. */
  let member = false

  scan: for (;;) {
    if (kind === OBJECT) {
      member = false
      if (bytes[i] !== 0x22) i = spaceEnd(bytes, i, end)
      rule = 'syntax'
      if (i >= end || bytes[i] !== 0x22) break
      const start = i + 1
      let to = plainEnd(bytes, start, end)
      const escaped = to < end && bytes[to] === 0x5c
      escapedNames ||= escaped
      if (to >= end || bytes[to] !== 0x22) to = stringEnd(bytes, to, end)
      if (to < 0) {
        i = ~to
        rule = stringRule(bytes, i, end)
        break
      }
      rule = 'string-size'
      if (to - start > maxStringBytes) break
      rule = 'keys'
      if (++count > maxKeys) break
      keyStart = start
      keyEnd = to
      member = true
      // JSON.parse makes `__proto__` an own property, but the first careless merge or assignment behind us, or in a
      // JavaScript upstream, sets the prototype with it. Only this key: `constructor` and `prototype` are ordinary
      // words in client data and reach nothing without a reader that walks inherited properties.
      rule = 'forbidden-key'
      if (escaped || (to - start === 9 && bytes[start] === 0x5f)) {
        if (quotedKey(bytes, ascii, start, to, escaped) === '"__proto__') break
      }
      // RFC 8259 §4 leaves duplicates to the parser (first, last, error), which is the difference attacks live on.
      rule = 'duplicate-key'
      let set = sets?.get(depth)
      if (set === undefined && !escaped && count <= COMPARED_KEYS) {
        // Valid UTF-8 without escapes: equal keys are equal bytes.
        const print = ((to - start) << 16) ^ ((bytes[start] ?? 0) << 8) ^ (bytes[to - 1] ?? 0)
        if (isCompared(bytes, print, start, to, keyBase, keyTop)) break
        if (keyTop + 3 > keys.length) keys = grown(keys)
        keys[keyTop] = print
        keys[keyTop + 1] = start
        keys[keyTop + 2] = to
        keyTop += 3
      } else {
        if (set === undefined) {
          set = new Set()
          sets ??= new Map()
          sets.set(depth, set)
          for (; keyTop > keyBase; keyTop -= 3) {
            set.add(quotedKey(bytes, ascii, keys[keyTop - 2] ?? 0, keys[keyTop - 1] ?? 0, false))
          }
        }
        const before = set.size
        if (set.add(quotedKey(bytes, ascii, start, to, escaped)).size === before) break
      }
      rule = 'syntax'
      i = bytes[to + 1] === 0x3a ? to + 1 : spaceEnd(bytes, to + 1, end)
      if (i >= end || bytes[i] !== 0x3a) break
      i++
    }

    member = true
    if ((bytes[i] ?? 0) <= 0x20) i = spaceEnd(bytes, i, end)
    rule = nodes === 0 ? 'empty' : 'syntax'
    if (i >= end) break
    rule = 'nodes'
    if (++nodes > maxNodes) break
    rule = 'syntax'
    const byte = bytes[i]
    if (byte === 0x22) {
      const to = stringEnd(bytes, i + 1, end)
      if (to < 0) {
        i = ~to
        rule = stringRule(bytes, i, end)
        break
      }
      rule = 'string-size'
      if (to - i - 1 > maxStringBytes) break
      i = to + 1
    } else if (byte === 0x7b || byte === 0x5b) {
      rule = 'depth'
      if (depth >= maxDepth) break
      const inner = spaceEnd(bytes, i + 1, end)
      // A closing bracket is its opening one plus 2, in ASCII.
      if (inner < end && bytes[inner] === byte + 2) {
        i = inner + 1
      } else {
        const frame = depth * 5
        if (frame + 10 > frames.length) frames = grown(frames)
        frames[frame] = kind
        frames[frame + 1] = count
        frames[frame + 2] = keyBase
        frames[frame + 3] = keyStart
        frames[frame + 4] = keyEnd
        depth++
        kind = byte === 0x7b ? OBJECT : ARRAY
        count = 0
        keyBase = keyTop
        i = inner
        continue
      }
    } else if (byte === 0x74 || byte === 0x66 || byte === 0x6e) {
      const to = nameEnd(bytes, i, end)
      if (to < 0) break
      i = to
    } else {
      const to = numberEnd(bytes, i, end)
      if (to < 0) {
        i = ~to
        break
      }
      if (to - i > SAFE_LENGTH || hasExponent(bytes, i, to)) {
        const fate = numberFate(ascii === undefined ? bytes.toString('latin1', i, to) : ascii.slice(i, to))
        rule = 'number-precision'
        if (fate === 'overflow') break
        if (fate === 'rounded') exact = false
      }
      i = to
    }

    for (;;) {
      if ((bytes[i] ?? 0) <= 0x20) i = spaceEnd(bytes, i, end)
      member = false
      if (depth === 0) {
        if (i >= end) return exact
        rule = 'trailing'
        break scan
      }
      rule = 'syntax'
      if (i >= end) break scan
      const next = bytes[i]
      if (next === 0x2c) {
        i++
        if (kind === ARRAY) count++
        continue scan
      }
      if (next !== (kind === OBJECT ? 0x7d : 0x5d)) break scan
      i++
      sets?.delete(depth)
      keyTop = keyBase
      depth--
      const frame = depth * 5
      kind = frames[frame] ?? ARRAY
      count = frames[frame + 1] ?? 0
      keyBase = frames[frame + 2] ?? 0
      keyStart = frames[frame + 3] ?? 0
      keyEnd = frames[frame + 4] ?? 0
    }
  }

  const frame = depth * 5
  frames[frame] = kind
  frames[frame + 1] = count
  frames[frame + 3] = keyStart
  frames[frame + 4] = keyEnd
  return { rule, pointer: pointerTo(bytes, member ? depth : depth - 1), offset: i }
}

/** A well-formed escape at which stringEnd stopped can only be half of a pair. */
const stringRule = (bytes: Buffer, at: number, end: number): JsonRule =>
  escapeUnit(bytes, at, end) === BAD_ESCAPE ? 'syntax' : 'lone-surrogate'

function isCompared(
  bytes: Buffer,
  print: number,
  start: number,
  to: number,
  base: number,
  top: number,
): boolean {
  for (let k = base; k < top; k += 3) {
    if (keys[k] !== print) continue
    const other = keys[k + 1] ?? 0
    if ((keys[k + 2] ?? 0) - other !== to - start) continue
    let i = start
    while (i < to && bytes[i] === bytes[other + i - start]) i++
    if (i === to) return true
  }
  return false
}

/**
 * The key behind one quote. The quote keeps a key like "1234567" from being an array index, whose hash V8 has not
 * always seeded: chosen collisions would make the Set quadratic (CVE-2026-21717).
 */
function quotedKey(
  bytes: Buffer,
  ascii: string | undefined,
  start: number,
  to: number,
  escaped: boolean,
): string {
  if (escaped) return `"${JSON.parse(bytes.toString('utf8', start - 1, to + 1))}`
  return ascii === undefined ? bytes.toString('utf8', start - 1, to) : ascii.slice(start - 1, to)
}

function grown(scratch: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(scratch.length * 2)
  larger.set(scratch)
  return larger
}

/** Where `frames` stand, from the outermost container to the member of the one at depth `last`. */
function pointerTo(bytes: Buffer, last: number): string {
  let pointer = ''
  for (let frame = 5; frame <= last * 5 && pointer.length <= POINTER_LENGTH; frame += 5) {
    const name =
      frames[frame] === ARRAY
        ? String(frames[frame + 1])
        : String(
            JSON.parse(bytes.toString('utf8', (frames[frame + 3] ?? 0) - 1, (frames[frame + 4] ?? 0) + 1)),
          )
    pointer += `/${escapePointer(name)}`
  }
  if (pointer.length <= POINTER_LENGTH) return pointer
  const cut = pointer.slice(0, POINTER_LENGTH - 1)
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`
}
