import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDocument } from '../../src/contract/graphql/document.ts'
import { graphql } from '../../src/contract/graphql/library.ts'
import { fixturesDir } from '../fixtures.ts'

// Operations that graphql-armor's own tests refuse or let through, under limits as tight as theirs.

interface Quoted {
  readonly file: string
  readonly kind: 'sdl' | 'operation'
  readonly text: string
}

const LIMITS = {
  tokens: 2_000,
  depth: 12,
  breadth: 100,
  fields: 500,
  aliases: 30,
  directives: 30,
  rootFields: 20,
  fragments: 50,
  operations: 10,
  cost: 5_000,
  batch: 1,
  inputDepth: 8,
  stringLength: 16_384,
  listLength: 500,
}

const folder = fixturesDir()

describe.skipIf(folder === null)('operations of graphql-armor', () => {
  const quoted = (
    folder === null ? [] : JSON.parse(readFileSync(join(folder, 'graphql-armor', 'operations.json'), 'utf8'))
  ) as readonly Quoted[]
  const { parse, buildSchema, validate } = graphql()
  let sdl = ''
  const cases: { readonly sdl: string; readonly text: string }[] = []
  for (const { kind, text } of quoted) {
    if (kind === 'sdl') sdl = text
    else cases.push({ sdl, text })
  }

  it('are all there', () => expect(quoted).toHaveLength(41))

  it.each(cases)('$text', (one) => {
    const schema = buildSchema(one.sdl)
    const read = readDocument(one.text, schema, LIMITS)
    let valid = true
    try {
      valid = validate(schema, parse(one.text)).length === 0
    } catch {
      valid = false
    }
    // None of them is large: they are refused exactly where graphql-js says they are no valid documents.
    expect(read.ok).toBe(valid)
    if (!read.ok) expect(read.finding.reason.forCaller).not.toMatch(/Did you mean/)
    const asked = { text: one.text, schema }
    const refusedBy = (over: Partial<typeof LIMITS>): unknown => {
      const tight = readDocument(asked.text, asked.schema, { ...LIMITS, ...over })
      return tight.ok ? null : tight.finding.reason.evidence['limit']
    }
    expect(refusedBy({ tokens: 2 })).toBe('tokens')
    if (valid) expect(['depth', 'fields', null]).toContain(refusedBy({ depth: 1, fields: 1 }))
    if (valid && /\w+\s*:\s*\w+(?:\(|\s*\{)/.test(one.text)) expect(refusedBy({ aliases: 0 })).toBe('aliases')
  })
})
