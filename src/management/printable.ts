/** Text from outside as a terminal may show it: nothing that moves the cursor, reorders or hides text. */
export function printable(text: string): string {
  return text.replace(/\p{C}|\p{Zl}|\p{Zp}/gu, '·')
}

/** Rows as columns two spaces apart, the last one ragged; every cell made printable. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const clean = rows.map((row) => row.map(printable))
  const widths: number[] = []
  for (const row of clean) {
    for (const [index, cell] of row.entries()) {
      if (index < row.length - 1) widths[index] = Math.max(widths[index] ?? 0, cell.length)
    }
  }
  return clean.map((row) =>
    row
      .map((cell, index) => (index < row.length - 1 ? cell.padEnd(widths[index] ?? 0) : cell))
      .join('  ')
      .trimEnd(),
  )
}

/** `2026-11-21 20:39:07.605Z`, from wall milliseconds. */
export function timeText(wallMs: number): string {
  const date = new Date(wallMs)
  return Number.isNaN(date.getTime()) ? String(wallMs) : date.toISOString().replace('T', ' ')
}

/** Microseconds as people read them. */
export function durationText(us: number): string {
  if (us < 1_000) return `${us} µs`
  return us < 1_000_000 ? `${(us / 1_000).toFixed(1)} ms` : `${(us / 1_000_000).toFixed(2)} s`
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}

/** Evidence and attributes as `name=value`, lists in brackets. */
export function evidenceText(
  evidence: Readonly<Record<string, string | number | boolean | readonly string[]>>,
): string {
  return Object.entries(evidence)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`)
    .join(' ')
}
