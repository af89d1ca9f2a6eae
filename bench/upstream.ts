import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { personId } from './calls.ts'

/**
 * The service behind every row, and the issuer's key set: HTTP/1.1 on bare sockets, as cheap as can be, because it
 * shares its core with the load. Started with the key set in its environment; tells its port to whoever forked it.
 */
const FILLER = 'x'.repeat(470)

/** A record of about 1 kB; whose it is stands in the first part of its id. */
function record(id: string): string {
  const owner = id.slice(0, id.indexOf('-'))
  return (
    `{"id":"${id}","customerId":"${personId(Number(owner))}","status":"paid","createdAt":"2026-11-02T09:30:00Z"` +
    `,"currency":"EUR","total":68.9,"note":"${FILLER}"` +
    `,"address":{"street":"12 Harbour Row","city":"Port Stanley","zip":"FIQQ 1ZZ","country":"FK"}` +
    `,"lines":[{"sku":"A-1001","title":"A fairly ordinary kettle","quantity":1,"price":39.9}` +
    `,{"sku":"B-2002","title":"Tea, loose, 250 g","quantity":4,"price":7.25}` +
    `,{"sku":"C-3003","title":"A tin to keep it in","quantity":1,"price":0}]}`
  )
}

function answer(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

const CREATED = answer('201 Created', '{"id":"1-1","status":"open"}')
const KEYS = answer('200 OK', process.env['BENCH_JWKS'] ?? '{"keys":[]}')

function respond(head: string): string {
  const space = head.indexOf(' ')
  if (head.startsWith('POST')) return CREATED
  const target = head.slice(space + 1, head.indexOf(' ', space + 1))
  if (target === '/jwks') return KEYS
  return answer('200 OK', record(target.slice(target.lastIndexOf('/') + 1)))
}

function serve(socket: Socket): void {
  let waiting = ''
  socket.setNoDelay(true)
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    waiting += chunk
    for (;;) {
      const end = waiting.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = waiting.slice(0, end)
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)
      const total = end + 4 + (length === null ? 0 : Number(length[1]))
      if (waiting.length < total) return
      waiting = waiting.slice(total)
      socket.write(respond(head), 'latin1')
    }
  })
  socket.on('error', () => socket.destroy())
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit(0))
