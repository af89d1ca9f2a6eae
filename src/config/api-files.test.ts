import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ConfigFolder, configFolder } from '../../test/config-folder.ts'
import { ConfigError } from './place.ts'
import { readConfig } from './read.ts'

let folder: ConfigFolder

beforeEach(() => {
  folder = configFolder()
})
afterEach(() => folder.remove())

const API = (path: string) => `upstream: http://127.0.0.1:3000\nbasePath: ${path}\n`

function readWith(apis: string, files: Readonly<Record<string, string>>) {
  return readConfig(folder.write({ 'sallyport.yaml': `apis: ${apis}\n`, ...files }))
}

function problemsWith(apis: string, files: Readonly<Record<string, string>>): string[] {
  try {
    readWith(apis, files)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(`${folder.path}/`, '').split('\n')
    throw error
  }
  return []
}

describe('files of one API each', () => {
  test('by pattern: named after the file or by name, contract beside the file', () => {
    const read = readWith('./apis/*.yaml', {
      'apis/shop.yaml': `${API('/shop')}contract: ./shop.openapi.json\n`,
      'apis/02-old.yaml': `name: old\n${API('/old')}`,
      'apis/shop.openapi.json': '{}',
      'apis/.draft.yaml': 'broken: [',
    })
    expect(
      read.apis.map(({ name, contract, source }) => [name, contract?.text ?? null, source.file]),
    ).toEqual([
      ['old', null, folder.at('apis/02-old.yaml')],
      ['shop', '{}', folder.at('apis/shop.yaml')],
    ])
    expect(read.folders).toEqual([folder.at('apis')])
    expect(read.files).toContain(folder.at('apis/shop.openapi.json'))
  })

  test('by a list of files and patterns; a file meant twice is read once', () => {
    const files = { 'a/one.yaml': API('/one'), 'b/two.yml': API('/two') }
    expect(readWith('[a/one.yaml, "a/?ne.yaml"]', files).apis.map(({ name }) => name)).toEqual(['one'])
    expect(readWith('[a/one.yaml, "a/*.yaml", "b/t?o.y*ml"]', files).apis.map(({ name }) => name)).toEqual([
      'one',
      'two',
    ])
  })

  test('problems of the main file and of every API’s file are told together, each in its own file', () => {
    expect(
      problemsWith('./apis/*.yaml\nlisten: { prt: 1 }', {
        'apis/a.yaml': 'upstrem: x\n',
        'apis/b.yaml': 'a: [\n',
        'apis/c.yaml': `${API('/c')}mode: enforced\n`,
      }).map((line) => line.replace(/ \(.*/, '')),
    ).toEqual([
      'sallyport.yaml:2:11: unknown key "prt"',
      'apis/a.yaml:1:1: upstream is missing',
      'apis/a.yaml:1:1: unknown key "upstrem"',
      'apis/b.yaml:2:1: broken YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
      'apis/c.yaml:3:7: mode must be enforce or observe',
    ])
  })

  test('names: taken, unfit, path claimed by two files', () => {
    expect(
      problemsWith('./apis/*.yaml', {
        'apis/a.yaml': `name: shop\n${API('/a')}`,
        'apis/b.yaml': `name: shop\n${API('/b')}`,
      }),
    ).toEqual(['apis/b.yaml:1:7: the name "shop" is taken by apis/a.yaml (Give it another name:.)'])
    rmSync(folder.at('apis'), { recursive: true })
    expect(problemsWith('./apis/*.yaml', { 'apis/My Shop.yaml': API('/a') })).toEqual([
      'apis/My Shop.yaml:1:1: the file’s name cannot be the API’s name (Add name: with lower-case letters, digits and hyphens.)',
    ])
    rmSync(folder.at('apis'), { recursive: true })
    expect(problemsWith('./apis/*.yaml', { 'apis/a.yaml': API('/x'), 'apis/b.yaml': API('/x') })[0]).toMatch(
      /^apis\/b\.yaml:2:11: the APIs "a" and "b" both claim \/x on any host/,
    )
  })

  test('patterns that mean nothing stand at the pattern', () => {
    expect(
      problemsWith('[none/*.yaml, "*/x.yaml", gone.yaml, "*.yml"]', {}).map((line) =>
        line.replace(/ \(.*/, ''),
      ),
    ).toEqual([
      'sallyport.yaml:1:8: the folder none does not exist',
      'sallyport.yaml:1:21: may hold * and ? in the file name only',
      'sallyport.yaml:1:33: the API’s file gone.yaml does not exist',
      'sallyport.yaml:1:44: no file fits *.yml',
    ])
  })

  test('a contract of an API’s file lies in reach of its owner, not of the gate’s user', () => {
    mkdirSync(folder.at('conf'))
    const main = {
      'conf/sallyport.yaml': 'apis: ../teams/*.yaml\n',
      'conf/shared.yaml': '{}',
      'secret.yaml': '{}',
      'teams/sub/own.yaml': '{}',
    }
    const read = (contract: string) => {
      folder.write({ 'teams/shop.yaml': `${API('/shop')}contract: ${contract}\n` })
      try {
        return readConfig(folder.write(main)).apis[0]?.contract?.text
      } catch (error) {
        return error instanceof ConfigError ? error.problems[0]?.message : error
      }
    }
    symlinkSync('../secret.yaml', folder.at('conf/link.yaml'))
    const outside = 'the contract lies outside the folders of the configuration and of the API’s file'
    expect(read('./sub/own.yaml')).toBe('{}')
    expect(read('../conf/shared.yaml')).toBe('{}')
    expect(read('../secret.yaml')).toBe(outside)
    expect(read(folder.at('secret.yaml'))).toBe(outside)
    expect(read('../conf/link.yaml')).toBe(outside)
  })
})
