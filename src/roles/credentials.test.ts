import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { configFolder } from '../../test/config-folder.ts'
import { Credentials } from './credentials.ts'
import { bearerDigest, readSecret } from './secrets.ts'

const folder = configFolder()
afterAll(() => folder.remove())
const config = folder.write({
  'sallyport.yaml': '',
  'pdp.token': 'a-secret-of-some-length\n',
  'short.token': 'short',
  'empty.token': '\n',
  'two.token': 'a b',
})

describe('secrets by reference', () => {
  it('are read beside the configuration or from the environment, without a last line break', () => {
    process.env['SALLYPORT_TEST_SECRET'] = 'of-the-environment'
    expect(readSecret('file:pdp.token', config)).toBe('a-secret-of-some-length')
    expect(readSecret('env:SALLYPORT_TEST_SECRET', config)).toBe('of-the-environment')
    const digest = createHash('sha256').update('a-secret-of-some-length').digest('hex')
    expect(bearerDigest('file:pdp.token', config)).toBe(digest)
  })

  it('that are missing, empty, odd or short are told by their reference only', () => {
    for (const reference of ['env:SALLYPORT_NOT_SET', 'file:nothing', 'file:empty.token', 'file:two.token'])
      expect(() => readSecret(reference, config)).toThrow(reference)
    expect(() => bearerDigest('file:short.token', config)).toThrow(
      /^file:short\.token is shorter than 16 characters$/,
    )
  })
})

describe('what gate threads ask decision sources with', () => {
  const api = (credential: string) => [
    { signals: [{ name: 'pdp', origin: 'https://pdp.example', path: '/', timeoutMs: 1, credential }] },
  ]

  it('is published when it changes, stays when it is lost, and must be there at first', () => {
    const published: Readonly<Record<string, string>>[] = []
    const credentials = new Credentials(config, (table) => published.push(table))
    credentials.update([{}])
    expect(published).toEqual([])
    credentials.update(api('file:pdp.token'))
    credentials.update(api('file:pdp.token'))
    expect(published).toEqual([{ 'file:pdp.token': 'a-secret-of-some-length' }])
    writeFileSync(folder.at('pdp.token'), '')
    credentials.update(api('file:pdp.token'))
    expect(published).toHaveLength(1)
    expect(() => credentials.update(api('file:nothing'))).toThrow('file:nothing')
    writeFileSync(folder.at('pdp.token'), 'another-one')
    credentials.update(api('file:pdp.token'))
    expect(published.at(-1)).toEqual({ 'file:pdp.token': 'another-one' })
    credentials.update([])
    expect(published.at(-1)).toEqual({})
  })
})
