import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LabelledGate, labelledGate } from '../labelled-gate.ts'

// Standards 8.7, where contracts are enforced both ways: what callers and upstreams seed in bodies, parameters, errors,
// undeclared fields and streams stands nowhere in clear.

describe('canaries in bodies, parameters and answers', () => {
  let people: LabelledGate
  beforeAll(async () => {
    people = await labelledGate()
  })
  afterAll(() => people.stop())

  it('leave no trace', async () => {
    const planted: string[] = []
    const canary = (): string => {
      const text = `cnry${planted.length}x${crypto.randomUUID().slice(0, 8)}`
      planted.push(text)
      return text
    }
    const statuses: number[] = []
    const send = async (path: string, init: RequestInit = {}, group = 'staff'): Promise<string> => {
      const headers = { authorization: `Bearer ${people.token(group)}`, ...init.headers }
      const response = await fetch(people.gate.url + path, { ...init, headers })
      statuses.push(response.status)
      return response.text()
    }
    const post = (path: string, type: string, body: string): Promise<string> =>
      send(path, { method: 'POST', headers: { 'content-type': type }, body })
    const answers = (body: string, type = 'application/json', status = 200): void => {
      people.answer = (_, response) => {
        response.writeHead(status, { 'content-type': type })
        response.end(body)
      }
    }
    answers('{"id":"p-1"}')

    // Parameters with a class, and such as do not fit.
    await send(`/v1/people/${canary()}`)
    await send(`/v1/people?ssn=${canary()}`)
    await send(`/v1/people?ssn=${canary().repeat(4)}`)
    await send(`/v1/people?ssn=a&ssn=${canary()}`)
    await send('/v1/people', { headers: { 'x-ssn': canary() } })
    await send('/v1/people', { headers: { 'x-ssn': canary().repeat(4) } })
    // Bodies of every kind: fitting, undeclared, malformed.
    const boundary = 'bnd'
    const part = (name: string, value: string): string =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n--${boundary}--\r\n`
    const multipart = `multipart/form-data; boundary=${boundary}`
    const form = 'application/x-www-form-urlencoded'
    await post('/v1/people', 'application/json', JSON.stringify({ ssn: canary(), note: canary() }))
    await post('/v1/people', 'application/json', JSON.stringify({ extra: canary() }))
    await post('/v1/people', 'application/json', JSON.stringify({ ssn: { deep: canary() } }))
    await post('/v1/form', form, `ssn=${canary()}`)
    await post('/v1/form', form, `extra=${canary()}`)
    await post('/v1/form', form, `ssn=a&ssn=${canary()}`)
    await post('/v1/parts', multipart, part('ssn', canary()))
    await post('/v1/parts', multipart, part('extra', canary()))
    await post('/v1/parts', multipart, part('ssn', canary()).slice(0, -8))
    await post('/v1/xml', 'application/xml', `<person><ssn>${canary()}</ssn></person>`)
    await post('/v1/xml', 'application/xml', `<person><extra>${canary()}</extra></person>`)
    await post('/v1/xml', 'application/xml', `<!DOCTYPE a [<!ENTITY e "${canary()}">]><person/>`)
    // GraphQL: variables, arguments, names the schema has not.
    const ask = (body: object): Promise<string> => {
      const headers = { 'content-type': 'application/json' }
      return send('/graphql', { method: 'POST', headers, body: JSON.stringify(body) }, 'clerk')
    }
    const query = 'query Q($ssn: String!) { person(ssn: $ssn) { id ssn } }'
    answers(JSON.stringify({ data: { person: { id: '1', ssn: canary(), extra: canary() } } }))
    await ask({ query, variables: { ssn: canary() } })
    await ask({ query, variables: { ssn: { deep: canary() } } })
    await ask({ query: `{ person(ssn: "${canary()}") { id } }` })
    await ask({ query: `{ person(ssn: "a", other: "${canary()}") { id } } # ${canary()}` })
    answers(
      JSON.stringify({
        data: null,
        errors: [{ message: `ER_DUP_ENTRY: Duplicate entry '${canary()}' for key` }],
      }),
    )
    await ask({ query: '{ person(ssn: "a") { id } }' })
    // Answers: undeclared and detected values, errors' originals, streamed items.
    answers(JSON.stringify({ id: `${canary()}@example.com`, note: canary(), drifted: canary() }))
    await send('/v1/people')
    answers(JSON.stringify({ id: 7, note: { deep: canary() } }))
    await send('/v1/people')
    answers(`<h1>Traceback (most recent call last)</h1> ${canary()}`, 'text/html', 500)
    expect(await send('/v1/people')).not.toContain('cnry')
    answers(JSON.stringify({ error: `SQLSTATE[42000] near ${canary()}` }), 'application/json', 500)
    expect(await send('/v1/people')).not.toContain('cnry')
    answers(
      `{"id":"1","ssn":"${canary()}"}\n{"id":2,"extra":"${canary()}"}\n${canary()}\n`,
      'application/x-ndjson',
    )
    await send('/v1/lines').catch(() => '')
    answers(`data: {"ssn":"${canary()}","extra":"${canary()}"}\n\n`, 'text/event-stream')
    await send('/v1/events').catch(() => '')

    expect(new Set(statuses)).toEqual(new Set([200, 400, 500, 502]))
    await new Promise((resolve) => setTimeout(resolve, 200))
    const metrics = await (await fetch(`${people.gate.management}/metrics`)).text()
    const drift = JSON.stringify((await people.gate.command(['drift'])).json)
    const inventory = JSON.stringify((await people.gate.command(['inventory'])).json)
    const found = (text: string): string[] => planted.filter((each) => text.includes(each))
    expect(found(people.written())).toEqual([])
    expect(found(metrics)).toEqual([])
    expect(found(drift)).toEqual([])
    expect(found(inventory)).toEqual([])
    expect(drift).toContain('drifted')
    expect(inventory).toContain('"pointer":"/id"')
    expect(people.written()).toContain('"intent"')
  })
})
