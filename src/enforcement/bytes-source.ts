import type { Source } from '../model/exchange.ts'

/** Bytes that are there already, as a source. */
export function bytesSource(bytes: Uint8Array): Source {
  let given = false
  return {
    trailers: [],
    read: () => {
      if (given || bytes.byteLength === 0) return Promise.resolve(null)
      given = true
      return Promise.resolve(bytes)
    },
    cancel: () => {
      given = true
    },
  }
}
