import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  attributesOf,
  intentOf,
  outcomeOf,
  recordsIn,
  STORE_KEY,
  subjectOf,
  temporaryFolder,
  writerIn,
} from '../../test/audit-entries.ts'
import { eraseSubject } from './erase.ts'

it('what an upstream had said is kept sealed and redacted, beside attributes of every kind, and erased', async () => {
  const folder = temporaryFolder()
  const subject = subjectOf('ana')
  const writer = writerIn(folder.path)
  const original = `TypeError at /srv/shop.js ${'x y '.repeat(2_000)} password=hunter2`
  const sequence = { items: 3, released: 2, unfit: 1 }
  const attributes = attributesOf()
  for (const number of [1, 2, 3]) {
    const own = [null, attributes, attributesOf({ context: { path: '/other' } })][number - 1] ?? null
    writer.intent(intentOf(number, { subject, attributes }))
    writer.outcome(outcomeOf(number, { attributes: own, original, sequence }))
  }
  writer.intent(intentOf(4, { subject }))
  writer.outcome(outcomeOf(4))
  await writer.close()
  const bytes = readdirSync(folder.path)
    .map((name) => readFileSync(join(folder.path, name), 'latin1'))
    .join()
  expect(bytes).not.toContain('TypeError')
  expect(bytes).toContain('"sequence":[3,2,1]')
  const outcomes = (await recordsIn(folder.path)).map(({ outcome }) =>
    outcome === null || outcome === 'unknown' ? null : outcome,
  )
  expect(outcomes.map((outcome) => outcome?.original?.slice(0, 25))).toEqual([
    ...Array.from({ length: 3 }, () => 'TypeError at /srv/shop.js'),
    undefined,
  ])
  expect(outcomes[0]?.original).toHaveLength(2_049)
  expect(outcomes.map((outcome) => outcome?.sequence)).toEqual([sequence, sequence, sequence, undefined])
  expect(outcomes.map((outcome) => outcome?.attributes?.context.path ?? null)).toEqual([
    null,
    attributes.context.path ?? null,
    '/other',
    outcomes[3]?.attributes?.context.path ?? null,
  ])
  eraseSubject(folder.path, STORE_KEY, { iss: subject.iss, sub: 'ana' })
  const erased = await recordsIn(folder.path)
  expect(JSON.stringify(erased)).not.toContain('TypeError')
  folder.remove()
})
