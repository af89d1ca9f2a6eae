import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { operationOf, said } from '../contract-instance.ts'
import { fixturesDir } from '../fixtures.ts'

// The OWASP Core Rule Set's regression tests for server-side request forgery (rules 934110 and 934120), sent as the
// value of a parameter of format `url`: a smoke test of payloads that others collected.

const fixtures = fixturesDir()

/** Names of servers on the internet: whoever may be called is for a list of hosts to say. */
const PUBLIC = ['https://metadata.packet.net/userdata']

interface Regression {
  readonly tests: readonly {
    readonly stages: readonly {
      readonly input: { readonly uri?: string }
      readonly output: { readonly log?: { readonly expect_ids?: readonly number[] } }
    }[]
  }[]
}

/** Zone ids stand there with a bare percent sign, which no query gets past the gate with: taken as they are. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function payloads(folder: string | null): string[] {
  if (folder === null) return []
  return [934110, 934120].flatMap((rule) => {
    const file = join(
      folder,
      `crs-regression/tests/regression/tests/REQUEST-934-APPLICATION-ATTACK-GENERIC/${rule}.yaml`,
    )
    const { tests } = parse(readFileSync(file, 'utf8')) as Regression
    return tests.flatMap(({ stages }) =>
      stages.flatMap(({ input: { uri = '' }, output }) => {
        const mark = uri.indexOf('ssrf=')
        return mark < 0 || output.log?.expect_ids?.includes(rule) !== true
          ? []
          : [decoded(uri.slice(mark + 5))]
      }),
    )
  })
}

describe.skipIf(fixtures === null)('payloads of the Core Rule Set', () => {
  const operation = operationOf({
    parameters: [{ name: 'to', in: 'query', schema: { type: 'string', format: 'url' } }],
  })
  const all = [...new Set(payloads(fixtures))]

  it('are there', () => {
    expect(all.length).toBeGreaterThan(40)
  })

  it.each(all)('%s', (url) => {
    const query = [['to', url]] as const
    const found = said(
      operation.checkParameters({ params: {}, segments: ['a', '1'], query, rawQuery: '', fields: [] }),
    )
    if (PUBLIC.includes(url)) expect(found).toEqual([])
    else expect(found[0]).toMatch(/^url-forbidden query to: /)
  })
})
