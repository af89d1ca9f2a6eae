import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ConfigFolder, configFolder } from '../../test/config-folder.ts'
import { ConfigError } from './place.ts'
import { readConfig } from './read.ts'

let folder: ConfigFolder

beforeEach(() => {
  folder = configFolder()
})
afterEach(() => folder.remove())

const MAIN = `apis:
  shop:
    contract: ./shop.yaml
    upstream: http://127.0.0.1:3000
policies: ./policies
`
const CONTRACT = { 'shop.yaml': 'openapi: 3.1.0' }

function failure(file: string): ConfigError {
  try {
    readConfig(file)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

/** Problems of a configuration as printed, the folder left out. */
function problemsOf(text: string, others: Readonly<Record<string, string>> = {}): string[] {
  const file = folder.write({ 'sallyport.yaml': text, ...others })
  return failure(file).message.replaceAll(`${folder.path}/`, '').split('\n')
}

describe('the files a configuration names', () => {
  test('policies by name, two levels deep, links followed once', () => {
    folder.write({
      ...CONTRACT,
      'policies/b.cedar': 'b',
      'policies/a.cedar': 'a',
      'policies/team/c.cedar': 'c',
      'policies/team/sub/d.cedar': 'd',
      'policies/.hidden.cedar': 'h',
      'policies/notes.md': 'n',
    })
    symlinkSync('..', folder.at('policies/team/up'))
    symlinkSync('self', folder.at('policies/self'))
    symlinkSync('a.cedar', folder.at('policies/z.cedar'))
    symlinkSync('nowhere', folder.at('policies/notes.old'))
    const read = readConfig(folder.write({ 'sallyport.yaml': MAIN }))
    expect(read.policies.map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('a policy that cannot be read, or lies too deep, is never left out in silence', () => {
    folder.write({ ...CONTRACT, 'policies/a.cedar': 'a', 'policies/1/2/3/forbid.cedar': 'f' })
    mkdirSync(folder.at('apis'))
    symlinkSync('nowhere', folder.at('policies/gone.cedar'))
    symlinkSync('gone.test.yaml', folder.at('policies/gone.test.yaml'))
    symlinkSync('nowhere', folder.at('apis/gone.yaml'))
    expect(problemsOf(MAIN)).toEqual([
      'sallyport.yaml:5:11: the folder policies/1/2/3 lies too deep (Policies lie at most two levels deep.)',
      'sallyport.yaml:5:11: the file policies/gone.cedar does not exist',
      'sallyport.yaml:5:11: the file policies/gone.test.yaml is a symbolic link that leads to itself',
    ])
    expect(problemsOf('apis: apis/*.yaml')).toEqual([
      'sallyport.yaml:1:7: the API’s file apis/gone.yaml does not exist',
    ])
  })

  test('a contract and a policy folder that are not there, each at the line that names it', () => {
    expect(problemsOf(MAIN)).toEqual([
      `sallyport.yaml:3:15: the contract shop.yaml does not exist (Paths are relative to sallyport.yaml.)`,
      'sallyport.yaml:5:11: the folder policies does not exist (Make the folder, or leave policies out.)',
    ])
    const error = failure(folder.at('sallyport.yaml'))
    expect(error.files).toContain(folder.at('shop.yaml'))
    expect(error.folders).toContain(folder.at('policies'))
  })

  test('contracts that are a folder, a device, a pipe, a looping link, not text, or remote', () => {
    const named = (path: string) =>
      `apis: { old: { upstream: "http://127.0.0.1:1", contract: ${JSON.stringify(path)} } }`
    mkdirSync(folder.at('dir'))
    execFileSync('mkfifo', [folder.at('pipe')])
    symlinkSync('loop', folder.at('loop'))
    folder.write({ latin: Uint8Array.of(0xe9, 0x0a) })
    for (const [path, why] of [
      ['dir', 'is a folder, not a file'],
      ['/dev/zero', 'is not a regular file'],
      ['pipe', 'is not a regular file'],
      ['loop', 'is a symbolic link that leads to itself'],
      ['latin', 'is not UTF-8 text'],
      ['sallyport.yaml/x', 'is not a folder, or lies below what is none'],
    ] as const) {
      expect(problemsOf(named(path))[0]).toContain(`sallyport.yaml:1:58: the contract ${path} ${why}`)
    }
    expect(problemsOf(named('https://x.example/api.yaml'))[0]).toContain(
      'contract must be a local path, not a URL: the gate fetches no configuration',
    )
  })

  test('files over their bounds', () => {
    expect(problemsOf(`# ${'x'.repeat(1_048_577)}`)).toEqual([
      'sallyport.yaml:1:1: the configuration is larger than 1 MiB',
    ])
    expect(problemsOf(MAIN, { 'shop.yaml': 'x'.repeat(32 * 1_048_576 + 1) })[0]).toBe(
      'sallyport.yaml:3:15: the contract shop.yaml is larger than 32 MiB',
    )
    const big = 'x'.repeat(6 * 1_048_576)
    expect(problemsOf(MAIN, { ...CONTRACT, 'policies/a.cedar': big, 'policies/b.cedar': big })).toEqual([
      'sallyport.yaml:5:11: the folder holds more than 10 MiB of policies and tests',
    ])
  })

  test('a policy test of broken YAML stands at its own place', () => {
    expect(problemsOf(MAIN, { ...CONTRACT, 'policies/a.test.yaml': 'a: 1\na: 2\n' })).toEqual([
      `${join('policies', 'a.test.yaml')}:2:1: the key "a" stands twice (First in line 1.)`,
    ])
  })
})
