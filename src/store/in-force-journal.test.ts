import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { IN_FORCE_FILE, InForceJournal, type PutInForce } from './in-force-journal.ts'
import { signLine } from './signed-line.ts'

const KEY = generateKeyPairSync('ed25519')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-in-force-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const change = (digit: string, why: PutInForce['why']): PutInForce => ({
  hash: digit.repeat(64),
  version: 1,
  configured: 'a'.repeat(64),
  why,
  by: 'ana',
  at: 1,
})
const lines = () => readFileSync(join(folder, IN_FORCE_FILE), 'utf8').trimEnd().split('\n')
const put = (text: readonly string[]) => writeFileSync(join(folder, IN_FORCE_FILE), `${text.join('\n')}\n`)
const open = () => new InForceJournal(folder, KEY)

describe('the journal of what was in force', () => {
  it('knows the last and the one before it, over a restart', () => {
    expect([open().last, open().before, open().damaged]).toEqual([null, null, 0])
    const journal = open()
    journal.put(change('a', 'start'))
    journal.put(change('b', 'promote'))
    journal.put(change('b', 'reload'))
    for (const each of [journal, open()]) {
      expect(each.last).toMatchObject(change('b', 'reload'))
      expect(each.before).toBe('a'.repeat(64))
    }
  })

  it('does not take a line that was changed, repeated, moved or made by another', () => {
    const journal = open()
    for (const each of [change('a', 'start'), change('b', 'promote'), change('d', 'rollback')])
      journal.put(each)
    const [first = '', second = '', third = ''] = lines()
    for (const text of [
      [first, second, third.replace('rollback', 'promote')],
      [first, second, third, second],
      [first, third, second],
      [first, 'not a line', third],
      [first, second, third.slice(0, -10)],
    ]) {
      put(text)
      expect(open().damaged).toBe(1)
    }
    put([first, second, third])
    expect(open().damaged).toBe(0)
  })

  it('keeps the last two hundred', () => {
    put(
      Array.from({ length: 205 }, (_, count) =>
        signLine(
          {
            kind: 'sallyport/in-force/1',
            number: count + 1,
            ...change(count % 2 === 0 ? 'a' : 'b', 'reload'),
          },
          KEY.privateKey,
        ),
      ),
    )
    open().put(change('d', 'rollback'))
    expect(lines()).toHaveLength(200)
    expect(open()).toMatchObject({ damaged: 0, last: { hash: 'd'.repeat(64) }, before: 'a'.repeat(64) })
  })
})
