import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Workbench } from '../../test/e2e/workbench.ts'

/** A contract that is put in the hostile API's place and reloaded; `files` gives what puts the good one back. */
export interface ContractKind {
  readonly name: string
  readonly files: (bench: Workbench) => () => void
  /** Exit code and output of the reload. */
  readonly said: RegExp
}

function contract(name: string, make: () => string, said: RegExp): ContractKind {
  return {
    name: `contract ${name}`,
    files: (bench) => {
      const good = readFileSync(join(bench.folder, 'hostile.json'), 'utf8')
      bench.write('hostile.json', make())
      return () => bench.write('hostile.json', good)
    },
    said,
  }
}

const document = (
  schemas: Record<string, unknown>,
  schema: unknown = { $ref: '#/components/schemas/A0' },
): string =>
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'hostile', version: '1.0.0' },
    servers: [{ url: '/bad' }],
    paths: {
      '/json': {
        post: {
          operationId: 'postJson',
          security: [],
          requestBody: { content: { 'application/json': { schema } } },
          responses: { '200': { description: 'x' } },
        },
      },
    },
    components: { schemas },
  })

const many = (count: number, of: (i: number) => unknown): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`A${i}`, of(i)]))
const ref = (i: number): object => ({ $ref: `#/components/schemas/A${i}` })
const object = (properties: Record<string, unknown>): object => ({ type: 'object', properties })

const DONE = /^0 /
const EITHER = /^0 |^2 .*contract-invalid.*hostile\.json/
const REFUSED = /^2 .*contract-invalid.*hostile\.json/

export const CONTRACT_KINDS: readonly ContractKind[] = [
  contract(
    'of 10 MB',
    () =>
      document(many(30_000, (i) => object({ [`p${i}`]: { type: 'string', description: 'x'.repeat(200) } }))),
    DONE,
  ),
  contract(
    'of 10,000 oneOf branches',
    () =>
      document({
        A0: { oneOf: Array.from({ length: 10_000 }, (_, i) => object({ [`k${i}`]: { type: 'integer' } })) },
      }),
    EITHER,
  ),
  contract(
    'of 10,000 oneOf references',
    () =>
      document({
        ...many(10_001, (i) => object({ [`k${i}`]: { type: 'integer' } })),
        A0: { oneOf: Array.from({ length: 10_000 }, (_, i) => ref(i + 1)) },
      }),
    EITHER,
  ),
  contract(
    'with a ring of 200',
    () => document(many(200, (i) => object({ next: ref((i + 1) % 200), [`p${i}`]: { type: 'string' } }))),
    DONE,
  ),
  contract(
    'with a ring of 5,000',
    () => document(many(5_000, (i) => object({ next: ref((i + 1) % 5_000), [`p${i}`]: { type: 'string' } }))),
    EITHER,
  ),
  contract(
    'where all lead to all',
    () =>
      document(
        many(60, () => ({
          type: 'object',
          properties: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`n${i}`, ref(i)])),
        })),
      ),
    DONE,
  ),
  contract('with references in a circle', () => document({ A0: ref(1), A1: ref(0) }), EITHER),
  contract(
    'with allOf in a circle',
    () => document({ A0: { allOf: [ref(1)] }, A1: { allOf: [ref(0)] } }),
    EITHER,
  ),
  contract(
    'with a remote reference',
    () => document({ A0: { $ref: 'http://127.0.0.1:9/x.json#/A' } }),
    REFUSED,
  ),
  contract('with a file outside', () => document({ A0: { $ref: '../../../../etc/passwd' } }), REFUSED),
  contract(
    'with allOf of 1,000',
    () =>
      document({
        A0: { allOf: Array.from({ length: 1_000 }, (_, i) => object({ [`k${i}`]: { type: 'integer' } })) },
      }),
    DONE,
  ),
  contract(
    'of 30 choices in a row',
    () =>
      document({
        A0: {
          allOf: Array.from({ length: 30 }, (_, i) => ({
            oneOf: [object({ [`a${i}`]: {} }), object({ [`b${i}`]: {} })],
          })),
        },
      }),
    EITHER,
  ),
  contract(
    'of catastrophic patterns',
    () =>
      document({
        A0: object(
          Object.fromEntries(
            Array.from({ length: 500 }, (_, i) => [
              `p${i}`,
              { type: 'string', pattern: `^(?:(?:a{1,${i + 1}}){1,40}){1,40}$` },
            ]),
          ),
        ),
      }),
    EITHER,
  ),
  contract('nested 100,000 deep', () => `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, REFUSED),
  contract(
    'with schemas 3,000 deep',
    () => document({ A0: JSON.parse(`${'{"items":'.repeat(3_000)}{}${'}'.repeat(3_000)}`) }),
    EITHER,
  ),
  contract(
    'an alias bomb',
    () =>
      `openapi: 3.1.0\nx-a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 12 }, (_, i) => `x-a${i + 1}: &a${i + 1} [${Array.from({ length: 10 }, () => `*a${i}`).join()}]`).join('\n')}\n`,
    REFUSED,
  ),
  contract('that is not there', () => '', REFUSED),
]
