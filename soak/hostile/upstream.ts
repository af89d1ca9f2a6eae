import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'

const MIB = 1_048_576
const TYPES: Readonly<Record<string, string>> = {
  json: 'application/json',
  text: 'text/plain',
  binary: 'application/octet-stream',
  lines: 'application/x-ndjson',
  events: 'text/event-stream',
}
const bomb = gzipSync(Buffer.alloc(100 * MIB, 0x20))
const spaces = Buffer.alloc(65_536, 0x20)

/** An upstream as hostile as its callers: answers of a gigabyte, of great depth, of items without end. */
export function answerBadly(request: IncomingMessage, response: ServerResponse): void {
  const [, form = 'json', kind = ''] = /\/answers\/(\w+)\?kind=(\w+)/.exec(request.url ?? '') ?? []
  const head = (more: Readonly<Record<string, string>> = {}): ServerResponse =>
    response.writeHead(200, { 'content-type': TYPES[form] ?? 'application/json', ...more })
  switch (kind) {
    case 'deep':
      head().end('['.repeat(100_000))
      return
    case 'bomb':
      head({ 'content-encoding': 'gzip' }).end(bomb)
      return
    case 'undeclared':
      head().end(`[${Array.from({ length: 20_000 }, (_, i) => `{"id":${i},"n${i}":1}`).join()}]`)
      return
    case 'large':
      head()
      pump(response, form === 'events' ? 'data: ' : '{"text":"', spaces, (10 * MIB) / spaces.length)
      return
    case 'endless': {
      head()
      const line =
        form === 'events' ? 'data: {"id":1}\n\n' : form === 'lines' ? '{"id":1,"text":"a"}\n' : null
      pump(response, '', line === null ? spaces : Buffer.from(line.repeat(4_000)), 1_024 * 16)
      return
    }
    default:
      head().end('{"ok":true}')
  }
}

/** Writes as fast as it is read, and no faster. */
function pump(response: ServerResponse, before: string, part: Uint8Array, times: number): void {
  let left = times
  if (before !== '') response.write(before)
  const go = (): void => {
    while (left-- > 0) {
      if (response.destroyed) return
      if (!response.write(part)) {
        response.once('drain', go)
        return
      }
    }
    response.end('\n')
  }
  response.on('error', () => undefined)
  go()
}
