import { expect, it } from 'vitest'
import { sampleDecision, sampleRecord } from '../../test/exchange-records.ts'
import { DriftCount } from '../inventory/drift.ts'
import { reason } from '../model/reason.ts'
import { InventoryTally } from './inventory-report.ts'

it('counts the ways in which an operation’s calls differed, not the calls', () => {
  const declared = { method: 'GET', template: '/v1/a', request: [], answer: [] }
  const operations = ['shop.get', 'shop.calm'].map((operation) => ({ ...declared, operation }))
  const tally = new InventoryTally(operations, new DriftCount())
  const fields = (operation: string, ...places: readonly string[]): void =>
    tally.add(
      sampleRecord({
        operation,
        outcome: {
          decisions: [
            {
              ...sampleDecision(['response-field-dropped'], { checkpoint: 'response' }),
              reasons: [reason('response-field-dropped', 'contract', { fields: places })],
            },
          ],
        },
      }),
    )
  fields('shop.get', '/a')
  fields('shop.get', '/a', '/b')
  fields('shop.gone', '/a')
  tally.add(sampleRecord({ operation: 'shop.calm' }))
  expect(tally.report().operations.map(({ operation, drift }) => [operation, drift])).toEqual([
    ['shop.get', 2],
    ['shop.calm', 0],
    ['shop.gone', 1],
  ])
})
