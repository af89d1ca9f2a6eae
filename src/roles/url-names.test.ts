import { describe, expect, it } from 'vitest'
import type { UrlNameTable } from '../model/channel.ts'
import { UrlNames } from './url-names.ts'

function resolver() {
  const answers = new Map<string, readonly string[] | null>()
  const published: UrlNameTable[] = []
  const said: string[] = []
  let now = 0
  const names = new UrlNames({
    publish: (table) => published.push({ ...table }),
    say: (text) => said.push(text),
    now: () => now,
    lookup: (name) => {
      const found = answers.get(name)
      return found === undefined || found === null
        ? Promise.reject(new Error('ENOTFOUND'))
        : Promise.resolve(found)
    },
  })
  const pass = (ms: number): void => {
    now += ms
  }
  return { names, answers, published, said, pass }
}

const HOUR = 3_600_000

describe('names that URL rules list', () => {
  it('are public where every address is', async () => {
    const { names, answers, published, said } = resolver()
    answers.set('a.example', ['8.8.8.8', '2606:4700::1'])
    answers.set('b.example', ['8.8.8.8', '10.0.0.1'])
    answers.set('c.example', ['::ffff:127.0.0.1'])
    await names.update([
      { urlNames: ['a.example', 'b.example'] },
      { urlNames: ['c.example', 'gone.example'] },
    ])
    expect(published).toEqual([{ 'a.example': 'public', 'b.example': 'private', 'c.example': 'private' }])
    await names.resolve()
    expect(said.filter((text) => text.includes('gone.example does not resolve'))).toHaveLength(1)
  })

  it('that turn private are told at once, and again when they turn back (rebinding)', async () => {
    const { names, answers, published, said } = resolver()
    answers.set('a.example', ['8.8.8.8'])
    await names.update([{ urlNames: ['a.example'] }])
    answers.set('a.example', ['169.254.169.254'])
    await names.resolve()
    await names.resolve()
    answers.set('a.example', ['8.8.8.8'])
    await names.resolve()
    expect(published).toEqual([
      { 'a.example': 'public' },
      { 'a.example': 'private' },
      { 'a.example': 'public' },
    ])
    expect(said).toHaveLength(2)
  })

  it('that no longer resolve keep what they were for an hour, then are unresolved', async () => {
    const { names, answers, published, pass } = resolver()
    answers.set('a.example', ['8.8.8.8'])
    await names.update([{ urlNames: ['a.example'] }])
    answers.set('a.example', null)
    pass(HOUR - 1)
    await names.resolve()
    expect(published).toHaveLength(1)
    pass(1)
    await names.resolve()
    expect(published).toEqual([{ 'a.example': 'public' }, {}])
  })

  it('are not asked for where none are listed', async () => {
    const { names, published } = resolver()
    await names.update([{}])
    expect(published).toEqual([])
  })
})
