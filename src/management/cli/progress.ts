/** Long work on a terminal, on stderr, in one line that is wiped at the end; nothing where stderr is no terminal. */
export interface Progress {
  /** From 0 to 1. */
  at(fraction: number): void
  end(): void
}

const WIDTH = 24
const TICK_MS = 500

export function progress(label: string): Progress {
  if (process.stderr.isTTY !== true) return { at: () => undefined, end: () => undefined }
  let shown = -1
  return {
    at: (fraction) => {
      const percent = Math.floor(Math.min(1, Math.max(0, fraction)) * 100)
      if (percent === shown) return
      shown = percent
      const done = Math.round((percent / 100) * WIDTH)
      process.stderr.write(`\r${label} [${'#'.repeat(done)}${'.'.repeat(WIDTH - done)}] ${percent} %`)
    },
    end: () => process.stderr.write('\r\u001b[K'),
  }
}

/** For work whose end is not known: seconds so far, from the first half second on. */
export function elapsed(label: string): Pick<Progress, 'end'> {
  if (process.stderr.isTTY !== true) return { end: () => undefined }
  let ticks = 0
  const timer = setInterval(() => {
    ticks++
    process.stderr.write(`\r${label} ${((ticks * TICK_MS) / 1_000).toFixed(1)} s`)
  }, TICK_MS)
  return {
    end: () => {
      clearInterval(timer)
      if (ticks > 0) process.stderr.write('\r\u001b[K')
    },
  }
}
