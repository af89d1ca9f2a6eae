/** Punycode (RFC 3492) of one label, without the `xn--`. */

const BASE = 36
const T_MIN = 1
const T_MAX = 26
/** RFC 5890 §2.3.1: no label is longer; what is longer is not decoded. */
const MAX_LABEL = 63

/** Null where the text is no Punycode. */
export function decodePunycode(text: string): string | null {
  if (text.length > MAX_LABEL) return null
  const mark = text.lastIndexOf('-')
  const out = [...text.slice(0, Math.max(mark, 0))].map((character) => character.charCodeAt(0))
  let point = 128
  let index = 0
  let bias = 72
  for (let at = mark < 0 ? 0 : mark + 1; at < text.length; ) {
    const before = index
    for (let weight = 1, k = BASE; ; k += BASE) {
      const digit = digitOf(text.charCodeAt(at++))
      if (digit < 0) return null
      index += digit * weight
      const threshold = Math.max(T_MIN, Math.min(T_MAX, k - bias))
      if (digit < threshold) break
      weight *= BASE - threshold
    }
    bias = adapt(index - before, out.length + 1, before === 0)
    point += Math.floor(index / (out.length + 1))
    index %= out.length + 1
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return null
    out.splice(index++, 0, point)
  }
  return String.fromCodePoint(...out)
}

export function encodePunycode(label: string): string {
  const points = [...label].map((character) => character.codePointAt(0) ?? 0)
  const basic = points.filter((point) => point < 128)
  let out = String.fromCharCode(...basic) + (basic.length > 0 ? '-' : '')
  let done = basic.length
  let delta = 0
  let bias = 72
  for (let point = 128; done < points.length; point++, delta++) {
    const next = Math.min(...points.filter((each) => each >= point))
    delta += (next - point) * (done + 1)
    point = next
    for (const each of points) {
      if (each < point) delta++
      if (each !== point) continue
      let rest = delta
      for (let k = BASE; ; k += BASE) {
        const threshold = Math.max(T_MIN, Math.min(T_MAX, k - bias))
        if (rest < threshold) break
        out += letterOf(threshold + ((rest - threshold) % (BASE - threshold)))
        rest = Math.floor((rest - threshold) / (BASE - threshold))
      }
      out += letterOf(rest)
      bias = adapt(delta, done + 1, done === basic.length)
      delta = 0
      done++
    }
  }
  return out
}

function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 22
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a ? lower - 0x61 : -1
}

const letterOf = (digit: number): string => String.fromCharCode(digit < 26 ? digit + 0x61 : digit + 22)

function adapt(delta: number, count: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? 700 : 2))
  rest += Math.floor(rest / count)
  let k = 0
  for (; rest > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) rest = Math.floor(rest / (BASE - T_MIN))
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + 38))
}
