import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import type { DriftRow } from '../../inventory/drift.ts'
import type { DriftAnswer } from '../drift-actions.ts'
import type { CliActions } from './actions.ts'
import { driftCommand } from './drift.ts'

const folder = mkdtempSync(join(tmpdir(), 'drift-'))
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  rmSync(folder, { recursive: true, force: true })
})

const ROW: DriftRow = {
  api: 'shop',
  operation: 'shop.get',
  kind: 'answer-field',
  place: '/name/last',
  status: 200,
  type: 'string',
  sight: 'string',
  mediaType: 'application/json',
  calls: 1,
  refused: 0,
  firstSeen: '2026-01-01T00:00:00.000Z',
  lastSeen: '2026-01-01T00:00:00.000Z',
  example: {},
  exchange: 'x',
}
const overlayOf = (name: string) => ({
  name,
  file: join(folder, name),
  overlay: {
    overlay: '1.0.0' as const,
    info: { title: name, version: '1.0.0' },
    actions: [{ target: '$', update: { x: 1 } }],
  },
})

test('writes a file for each file of the contract, each beside the first and of its own target', async () => {
  let out = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text)
    return true
  })
  const answer: DriftAnswer = {
    report: { records: 1, calls: 1, rows: [ROW], uncounted: 0 },
    patches: [
      {
        api: 'shop',
        overlays: [overlayOf('shop.yaml'), overlayOf('parts/name.yaml')],
        notes: [],
        left: [{ row: ROW, why: 'no reason' }],
      },
    ],
  }
  const actions = { records: { now: () => 0 }, drift: () => Promise.resolve(answer) }
  const program = new Command()
  driftCommand(program, actions as unknown as CliActions)
  await program.parseAsync(['drift', '--patch', join(folder, 'fix.yaml')], { from: 'user' })

  expect(process.exitCode).toBe(1)
  const written = ['fix.yaml', 'fix.2.yaml'].map((name) => parse(readFileSync(join(folder, name), 'utf8')))
  expect(written.map((each) => each.extends)).toEqual(['shop.yaml', join('parts', 'name.yaml')])
  for (const name of ['fix.yaml', 'fix.2.yaml']) expect(out).toContain(`wrote ${join(folder, name)}`)
  expect(out).toContain('changes parts/name.yaml, too, by an overlay of its own')
  expect(out).toContain('not in the patch: shop.get answer-field /name/last: no reason')
})
