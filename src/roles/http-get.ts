import type { HttpGet } from '../identity/key-source.ts'
import { SallyportError } from '../model/errors.ts'

/** Control's only way to fetch from outside: bounded in time and size, no redirects, no cookies, no proxy. */
export function httpGet(): { readonly get: HttpGet; close(): void } {
  const ending = new AbortController()
  return {
    get: async (url, { timeoutMs, maxBytes }) => {
      const response = await fetch(url, {
        redirect: 'manual',
        signal: AbortSignal.any([ending.signal, AbortSignal.timeout(timeoutMs)]),
        headers: { accept: 'application/json, application/jwk-set+json' },
      })
      const chunks: Uint8Array[] = []
      let total = 0
      for await (const chunk of response.body ?? []) {
        total += chunk.byteLength
        if (total > maxBytes) throw new SallyportError('keys-invalid', 'the answer is too large')
        chunks.push(chunk)
      }
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.concat(chunks),
      }
    },
    // An issuer that hangs must not keep the gate from stopping.
    close: () => ending.abort(),
  }
}
