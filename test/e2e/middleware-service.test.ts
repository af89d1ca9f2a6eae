import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect, createServer as createHttp2 } from 'node:http2'
import { type AddressInfo, createConnection } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedGate, openGate } from '../../src/middleware.ts'
import type { ConfigFolder } from '../config-folder.ts'
import { IssuerServer } from './issuer-server.ts'
import { startApp } from './middleware-apps.ts'
import { config, decisionsOf, folderWith, recordsOf, send } from './middleware-bench.ts'

let issuer: IssuerServer
beforeAll(async () => {
  issuer = await IssuerServer.start(`key-${crypto.randomUUID()}`)
})
afterAll(() => issuer.down())

describe('the gate within a service', () => {
  const folders: ConfigFolder[] = []
  const closers: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const close of closers.reverse()) await close()
    for (const folder of folders) folder.remove()
  })

  async function opened(
    options: { readonly mode?: string; readonly unmatched?: 'deny' | 'next' } = {},
  ): Promise<{ readonly gate: EmbeddedGate; readonly folder: ConfigFolder; readonly log: string[] }> {
    const folder = folderWith(issuer, options.mode)
    folders.push(folder)
    const log: string[] = []
    const gate = await openGate({
      config: folder.at('sallyport.yaml'),
      log: (line) => log.push(line),
      ...(options.unmatched === undefined ? {} : { unmatched: options.unmatched }),
    })
    closers.push(() => gate.close())
    return { gate, folder, log }
  }

  async function served(listener: Parameters<typeof createServer>[1]): Promise<string> {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(async () => {
      server.closeAllConnections()
      server.close()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it.each(['express', 'hono'] as const)(
    '%s sees no query that was taken out, or no call',
    async (framework) => {
      const folder = folderWith(issuer)
      folders.push(folder)
      const strip = config(issuer).replace(
        '    mode: enforce\n',
        '    mode: enforce\n    unknownFields: strip\n',
      )
      folder.write({ 'sallyport.yaml': strip })
      const gate = await openGate({ config: folder.at('sallyport.yaml'), log: () => undefined })
      closers.push(() => gate.close())
      const app = await startApp(framework, gate)
      closers.push(() => app.stop())
      const token = issuer.token({ scope: 'orders:read' })
      const plain = await send(app.url, { target: '/v1/orders/o1', token })
      const odd = await send(app.url, { target: '/v1/orders/o1?debug=1', token })
      // Hono has read its query before the gate: nothing goes on.
      expect([plain.status, odd.status]).toEqual([200, framework === 'hono' ? 500 : 200])
      expect(app.seen.map(({ url }) => url)).toEqual(
        framework === 'hono' ? ['/v1/orders/o1'] : ['/v1/orders/o1', '/v1/orders/o1'],
      )
    },
  )

  it('suspends effects and records what it would deny, in observe mode', async () => {
    const { gate, folder } = await opened({ mode: 'observe' })
    const app = await startApp('express', gate)
    closers.push(() => app.stop())
    const { status, body, id } = await send(app.url, { target: '/v1/orders/o2' })
    expect({ status, body }).toEqual({ status: 200, body: '{"id":"o2","customerId":"ben","secret":"s2"}' })
    const token = issuer.token()
    await send(app.url, { target: '/v1/orders/o1', token })
    // The application still checks the caller's own credential, as before.
    expect(app.seen.map(({ authorization }) => authorization)).toEqual([undefined, `Bearer ${token}`])
    expect(app.seen[0]?.call).toMatchObject({ mode: 'observe', decision: { effect: 'deny' } })
    const record = (await recordsOf(folder)).get(id)
    expect(record?.outcome).toMatchObject({ action: 'forwarded', status: 200 })
    expect(record === undefined ? [] : decisionsOf(record).join()).toMatch(/challenge|deny/)
  })

  it('passes on what no API claims, where it is told to, and nothing that could be one', async () => {
    const { gate } = await opened({ unmatched: 'next' })
    const app = await startApp('express', gate)
    closers.push(() => app.stop())
    expect(await send(app.url, { target: '/healthz' })).toMatchObject({ status: 200, id: '' })
    expect(app.seen[0]?.call).toBeNull()
    for (const target of ['/V1/orders/o1', '/%76%31/orders/o1', '//v1/orders/o1', '/x/../v1/orders/o1'])
      expect({ target, status: (await send(app.url, { target })).status >= 400 }).toEqual({
        target,
        status: true,
      })
    expect(app.seen).toHaveLength(1)
    expect(gate.stats.unmatched).toBe(1)
  })

  it('refuses a body that a parser mounted before it has taken, and says so', async () => {
    const { gate, log } = await opened()
    const app = express().use(express.json()).use(gate.express())
    const url = await served(app)
    const token = issuer.token({ scope: 'orders:write' })
    const call = { method: 'POST', target: '/v1/orders', token, body: '{"item":"pen"}' }
    expect((await send(url, call)).status).toBe(400)
    expect(log.join()).toContain('mount the gate first')
  })

  it('refuses to stand below a path', async () => {
    const { gate } = await opened()
    const url = await served(
      express()
        .use('/v1', gate.express())
        .use((_request, response) => void response.send('reached')),
    )
    expect((await send(url, { target: '/v1/rows' })).status).toBe(500)
  })

  it('gives an empty body in parts to a parser that waits for its end', async () => {
    const { gate } = await opened({ mode: 'observe' })
    const app = await startApp('node:http', gate)
    closers.push(() => app.stop())
    const fields = ['Transfer-Encoding', 'chunked']
    expect((await send(app.url, { method: 'POST', target: '/v1/orders', fields })).status).toBe(201)
  })

  it('streams with back-pressure, the outcome before the last byte, a cut where the caller leaves', async () => {
    const { gate, folder } = await opened()
    let made = 0
    let more = true
    const url = await served(
      gate.handler((_incoming, response) => {
        response.setHeader('Content-Type', 'text/csv')
        response.on('close', () => {
          more = false
        })
        const go = (): void => {
          while (more && response.write('x'.repeat(65_536))) made += 1
        }
        response.on('drain', go)
        go()
      }),
    )
    const { hostname, port } = new URL(url)
    const id = await new Promise<string>((resolve, reject) => {
      const outgoing = request({ hostname, port, path: '/v1/rows', agent: false }, (incoming) => {
        incoming.pause()
        setTimeout(() => {
          resolve(String(incoming.headers['sallyport-exchange']))
          incoming.destroy()
        }, 300)
      })
      outgoing.on('error', reject)
      outgoing.end()
    })
    // What a caller that does not read leaves behind stays within the buffers of two sockets.
    expect(made).toBeLessThan(400)
    await expect.poll(() => gate.stats.underWay).toBe(0)
    await expect
      .poll(async () => (await recordsOf(folder)).get(id)?.cut)
      .toMatchObject({ why: expect.stringMatching(/left|broke/) })
  })

  it('keeps fields after the body, and a second head, from passing for the first', async () => {
    const { gate } = await opened({ mode: 'observe' })
    let trailers: unknown = null
    let thrown: unknown = null
    const url = await served(
      gate.handler(async (incoming, response) => {
        for await (const _ of incoming);
        trailers = [incoming.trailers, incoming.rawTrailers, incoming.headers['x-user-id']]
        response.writeHead(201, [['Content-Type', 'application/json']] as never)
        try {
          response.writeHead(200)
        } catch (error) {
          thrown = error
        }
        response.end('{}')
      }),
    )
    const socket = createConnection(Number(new URL(url).port), '127.0.0.1')
    const head = 'Host: shop.example\r\nContent-Type: application/json\r\nConnection: close\r\n'
    socket.write(
      `POST /v1/orders HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\nTrailer: X-User-Id\r\n\r\n`,
    )
    socket.write('e\r\n{"item":"pen"}\r\n0\r\nX-User-Id: ben\r\n\r\n')
    const [part] = (await once(socket, 'data')) as [Buffer]
    expect(part.toString()).toMatch(/^HTTP\/1\.1 201 /)
    expect(trailers).toEqual([{}, [], undefined])
    expect(thrown).toMatchObject({ code: 'ERR_HTTP_HEADERS_SENT' })
    socket.destroy()
  })

  it('answers what is sent ahead in the order asked, one call at a time', async () => {
    const { gate } = await opened()
    let atOnce = 0
    let most = 0
    const url = await served(
      gate.handler((_incoming, response) => {
        most = Math.max(most, ++atOnce)
        response.setHeader('Content-Type', 'text/csv')
        setTimeout(() => {
          atOnce -= 1
          response.end('row')
        }, 20)
      }),
    )
    const socket = createConnection(Number(new URL(url).port), '127.0.0.1')
    const ask = (path: string, last = ''): string =>
      `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n${last}\r\n`
    socket.write(
      ask('/v1/rows') + ask('/v1/orders') + ask('/v1/rows') + ask('/v1/none', 'Connection: close\r\n'),
    )
    const parts: Buffer[] = []
    for await (const part of socket) parts.push(part)
    const statuses = [
      ...Buffer.concat(parts)
        .toString()
        .matchAll(/HTTP\/1\.1 (\d{3})/g),
    ].map(([, at]) => at)
    expect(statuses).toEqual(['200', '401', '200', '404'])
    expect(most).toBe(1)
  })

  it('answers HTTP/2 with a refusal', async () => {
    const { gate } = await opened()
    const server = createHttp2(gate.handler(() => undefined) as never)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const stream = client.request({ ':path': '/v1/rows' })
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
    expect(headers[':status']).toBe(400)
    client.close()
    stream.close()
    server.close()
  })

  it('asks decision sources over the network, and never the application for them', async () => {
    const asked: string[] = []
    let decision = true
    const source = await served((incoming, response) => {
      asked.push(`${incoming.method} ${incoming.headers.authorization}`)
      incoming.resume()
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ decision }))
    })
    const { gate, folder } = await opened()
    const app = await startApp('express', gate)
    closers.push(() => app.stop())
    folder.write({
      secret: 'a-secret-of-the-source',
      'sallyport.yaml': `${config(issuer).replace('    mode:', '    signals: [pdp]\n    mode:')}
signals:
  pdp: { kind: authzen, url: "${source}", credential: "file:secret" }
`,
    })
    await gate.reload()
    expect((await send(app.url, { target: '/v1/rows' })).status).toBe(200)
    decision = false
    expect((await send(app.url, { target: '/v1/rows' })).status).toBe(403)
    expect(asked).toEqual(Array(2).fill('POST Bearer a-secret-of-the-source'))
    expect(app.seen).toHaveLength(1)
  })

  it('holds its store alone', async () => {
    const { folder } = await opened()
    await expect(openGate({ config: folder.at('sallyport.yaml') })).rejects.toMatchObject({
      code: 'store-in-use',
    })
  })

  it('leaves what the command line verifies and explains', async () => {
    const { gate, folder } = await opened()
    const app = await startApp('fastify', gate)
    const { id } = await send(app.url, {
      target: '/v1/orders/o2',
      token: issuer.token({ scope: 'orders:read' }),
    })
    await app.stop()
    await gate.close()
    const sallyport = (...args: string[]): string =>
      execFileSync(process.execPath, ['bin/sallyport.js', ...args, '--config', folder.at('sallyport.yaml')], {
        encoding: 'utf8',
      })
    expect(JSON.parse(sallyport('audit', 'verify', '--json'))).toMatchObject({ ok: true })
    const explained = sallyport('explain', id)
    expect(explained).toContain('middleware')
    expect(explained).toContain('owner-differs')
    expect(explained).toContain('framing')
  })
})
