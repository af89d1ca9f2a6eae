import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { openGate, request } from './open-gate.ts'

describe('an upstream that drips', () => {
  const drip = (socket: Socket, every: number): undefined => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n')
    const timer = setInterval(() => socket.write(' '), every)
    socket.on('close', () => clearInterval(timer))
  }

  it('gets one time for a whole look-up', async () => {
    const gate = await openGate({ api: '    timeouts: { headMs: 150, bodyMs: 150 }' })
    gate.upstream.answer = (_, socket) => drip(socket, 50)
    const fields = { Authorization: `Bearer ${gate.token('ana')}`, 'Content-Type': 'application/json' }
    const began = performance.now()
    const [got] = await gate.send(request('PATCH', '/v1/things/a', fields, '{"note":"x"}'))
    expect(performance.now() - began).toBeLessThan(1_500)
    expect(got?.status).toBe(504)
    const outcome = gate.audit.outcomes.get(got?.field('sallyport-exchange') ?? '')
    expect(outcome).toMatchObject({ action: 'failed', effect: 'deny', lookups: [{ status: 200 }] })
    expect(outcome?.decisions.at(-1)?.reasons[0].code).toBe('upstream-timeout')
    await pause(50)
    expect(gate.upstream.sockets.size).toBe(0)
    await gate.stop()
  })

  it('gets one time for a head, of a look-up too', async () => {
    const gate = await openGate({ api: '    timeouts: { headMs: 200, bodyMs: 200 }' })
    gate.upstream.answer = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-Slow: ')
      const timer = setInterval(() => socket.write('a'), 50)
      socket.on('close', () => clearInterval(timer))
      return undefined
    }
    const fields = { Authorization: `Bearer ${gate.token('ana')}`, 'Content-Type': 'application/json' }
    for (const call of [
      request('GET', '/v1/free'),
      request('PATCH', '/v1/things/a', fields, '{"note":"x"}'),
    ]) {
      const began = performance.now()
      const [got] = await gate.send(call)
      expect(performance.now() - began).toBeLessThan(2_500)
      expect(got?.status).toBe(504)
    }
    await gate.stop()
  })

  it('gets one time for an answer that is held', async () => {
    const gate = await openGate({ api: '    timeouts: { bodyMs: 100 }' })
    gate.upstream.answer = (_, socket) => drip(socket, 50)
    const began = performance.now()
    const [got] = await gate.send(request('GET', '/v1/free'))
    expect(performance.now() - began).toBeGreaterThan(350)
    expect(performance.now() - began).toBeLessThan(1_500)
    expect(got?.status).toBe(504)
    const outcome = gate.audit.outcomes.get(got?.field('sallyport-exchange') ?? '')
    expect(outcome).toMatchObject({ action: 'failed', effect: 'deny', upstreamStatus: 200 })
    await pause(50)
    expect(gate.upstream.sockets.size).toBe(0)
    await gate.stop()
  })

  it('may take longer where its answer is passed on as it comes', async () => {
    const gate = await openGate({ api: '    timeouts: { bodyMs: 250 }' })
    gate.upstream.answer = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 12\r\n\r\n')
      let left = 12
      const timer = setInterval(() => {
        socket.write(' ')
        if (--left === 0) clearInterval(timer)
      }, 100)
      return undefined
    }
    const [got] = await gate.send(request('GET', '/v1/events'))
    expect([got?.status, got?.body.length]).toEqual([200, 12])
    await gate.stop()
  })
})

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
