import { describe, expect, it } from 'vitest'
import { SallyportError } from '../model/errors.ts'
import { PulledBody } from './pulled-body.ts'

function body(): { readonly pulled: PulledBody; readonly told: string[] } {
  const told: string[] = []
  const tap = {
    pause: () => void told.push('pause'),
    resume: () => void told.push('resume'),
    stop: (why: string) => void told.push(why),
  }
  return { pulled: new PulledBody(tap), told }
}
const chunk = (bytes: number): Uint8Array => new Uint8Array(bytes)
const broken = new SallyportError('body-broken-off', 'broken')

describe('a pulled body', () => {
  it('gives chunks in order, whichever side is first, then null', async () => {
    const { pulled } = body()
    const first = pulled.read()
    pulled.push(chunk(1))
    pulled.push(chunk(2))
    pulled.end(['A', 'b'])
    expect([(await first)?.byteLength, (await pulled.read())?.byteLength, await pulled.read()]).toEqual([
      1,
      2,
      null,
    ])
    expect(pulled.trailers).toEqual(['A', 'b'])
  })

  it('pauses its sender once, and resumes it when enough was read', async () => {
    const { pulled, told } = body()
    for (let i = 0; i < 6; i++) pulled.push(chunk(100_000))
    expect(told).toEqual(['pause'])
    for (let i = 0; i < 6; i++) await pulled.read()
    expect(told).toEqual(['pause', 'resume'])
  })

  it('gives what came before a failure, then rejects, for good', async () => {
    const { pulled } = body()
    pulled.push(chunk(1))
    pulled.fail(broken)
    pulled.end([])
    expect((await pulled.read())?.byteLength).toBe(1)
    await expect(pulled.read()).rejects.toBe(broken)
    await expect(pulled.read()).rejects.toBe(broken)
  })

  it('cancelled, it stops its sender, ends a waiting read and keeps nothing', async () => {
    const { pulled, told } = body()
    const waiting = pulled.read()
    pulled.cancel('enough')
    pulled.cancel('again')
    pulled.push(chunk(1))
    pulled.fail(broken)
    expect([await waiting, await pulled.read(), told]).toEqual([null, null, ['enough']])
  })
})
