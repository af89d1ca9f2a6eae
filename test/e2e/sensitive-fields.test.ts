import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LabelledGate, labelledGate } from '../labelled-gate.ts'

// Standards 1.7: `ssn` is annotated once, in the contract; its label appears in policy, answer and record.

describe('an annotated ssn', () => {
  let people: LabelledGate
  beforeAll(async () => {
    people = await labelledGate()
  })
  afterAll(() => people.stop())

  const SSN = '123-45-6789'
  const get = async (path: string, group: string): Promise<{ status: number; text: string; id: string }> => {
    const response = await fetch(`${people.gate.url}/v1${path}`, {
      headers: { authorization: `Bearer ${people.token(group)}` },
    })
    const id = response.headers.get('sallyport-exchange') ?? ''
    return { status: response.status, text: await response.text(), id }
  }

  it('is known to policies, hidden in the answer, and told by the record', async () => {
    people.answer = (_, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ id: 'p-1', ssn: SSN, note: 'n' }))
    }
    const guest = await get(`/people/${SSN}`, 'guest')
    expect(guest.status).toBe(403)
    const clerk = await get(`/people/${SSN}`, 'clerk')
    expect(JSON.parse(clerk.text)).toEqual({ id: 'p-1', ssn: SSN, note: 'n' })
    const staff = await get(`/people/${SSN}`, 'staff')
    expect(JSON.parse(staff.text)).toEqual({ id: 'p-1', ssn: '***-**-6789', note: 'n' })

    const { json } = await people.gate.command(['explain', staff.id])
    const said = JSON.stringify(json)
    expect(said).toContain('class:pii')
    expect(said).toContain('"answerClasses":["pii"]')
    expect(said).toContain('/people/[redacted]')
    expect(said).not.toContain(SSN)
    const refused = JSON.stringify((await people.gate.command(['explain', guest.id])).json)
    expect(refused).toContain('no-pii')
    const { json: report } = await people.gate.command(['inventory'])
    expect(JSON.stringify(report)).toContain('"class":"pii","origin":"annotation"')
  })

  it.each([
    ['/lines', 'application/x-ndjson', (item: object) => `${JSON.stringify(item)}\n`],
    ['/events', 'text/event-stream', (item: object) => `data: ${JSON.stringify(item)}\n\n`],
  ])('is hidden in each item of %s', async (path, type, write) => {
    people.answer = (_, response) => {
      response.setHeader('content-type', type)
      response.write(write({ id: 'p-1', ssn: SSN }))
      setTimeout(() => response.end(write({ id: 'p-2', ssn: SSN, extra: SSN })), 50)
    }
    const staff = await get(path, 'staff')
    expect(staff.status).toBe(200)
    expect(staff.text).toContain('p-2')
    expect(staff.text).not.toContain(SSN)
    expect(staff.text.match(/-6789|6789/g)?.length).toBe(2)
    expect((await get(path, 'clerk')).text.match(/123-45-6789/g)?.length).toBe(2)
    expect((await get(path, 'guest')).status).toBe(403)
  })
})
