import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GraphqlGate, graphqlGate } from '../graphql-gate.ts'

// GraphQL over HTTP, by the audit suite of graphql-http, through the gate to a GraphQL server on a socket of its own.

let gate: GraphqlGate
beforeAll(async () => {
  // Some audits ask for __type, to pass variables.
  gate = await graphqlGate({ graphql: '      allowGet: true\n      introspection: policy' })
})
afterAll(() => gate.stop())

/** What the gate does otherwise, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  '572B': 'a document that is refused is answered 400 whatever is accepted: monitors see it',
  FDE2: 'as 572B, of a document that does not fit the schema',
  '7B9B': 'as 572B, of variables that do not fit',
}

describe('audits through the gate', () => {
  const audits = serverAudits({
    url: () => gate.url,
    fetchFn: (input: string, init: RequestInit = {}) => {
      const headers = new Headers(init.headers)
      headers.set('authorization', `Bearer ${gate.token('bo', { groups: ['staff'] })}`)
      return fetch(input, { ...init, headers })
    },
  })

  it.each(audits.map(({ id, name }) => [id, name] as const))('%s %s', async (id) => {
    const audit = audits.find((each) => each.id === id)
    const result = await audit?.fn()
    const status = id in OTHERWISE ? 'warn' : 'ok'
    expect(result, JSON.stringify(result && 'reason' in result ? result.reason : '')).toMatchObject({
      status,
    })
  })
})
