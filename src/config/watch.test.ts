import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ConfigWatch, watchConfig } from './watch.ts'

let folder: string
let watching: ConfigWatch | null = null
let changes = 0

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-watch-'))
  changes = 0
})

afterEach(async () => {
  await watching?.close()
  rmSync(folder, { recursive: true })
})

const at = (name: string) => join(folder, name)
const rethrow = (error: unknown) => {
  throw error
}

async function start(files: string[], folders: string[] = []): Promise<ConfigWatch> {
  watching = watchConfig({ files, folders }, () => changes++, rethrow)
  await watching.ready
  return watching
}

async function changed(times: number): Promise<void> {
  for (let tries = 0; tries < 100 && changes < times; tries++) await sleep(30)
  expect(changes).toBe(times)
}

test('a burst of writes is one change, other files beside it none', async () => {
  writeFileSync(at('a.yaml'), '1')
  await start([at('a.yaml')])
  for (const text of ['12', '123', '1234']) {
    writeFileSync(at('a.yaml'), text)
    writeFileSync(at('beside.log'), text)
    await sleep(20)
  }
  await changed(1)
  writeFileSync(at('beside.log'), 'more')
  await sleep(400)
  expect(changes).toBe(1)
})

test('atomic renames are seen, one after the other', async () => {
  writeFileSync(at('a.yaml'), 'one')
  await start([at('a.yaml')])
  for (const [index, text] of ['two', 'three'].entries()) {
    writeFileSync(at('a.tmp'), text)
    renameSync(at('a.tmp'), at('a.yaml'))
    await changed(index + 1)
  }
})

test('the swap of a linked folder above the file is seen, twice', async () => {
  for (const version of ['..1', '..2', '..3']) {
    mkdirSync(at(version))
    writeFileSync(at(join(version, 'a.yaml')), 'same')
  }
  symlinkSync('..1', at('..data'))
  symlinkSync(join('..data', 'a.yaml'), at('a.yaml'))
  await start([at('a.yaml')])
  for (const [index, version] of ['..2', '..3'].entries()) {
    symlinkSync(version, at('..next'))
    renameSync(at('..next'), at('..data'))
    await changed(index + 1)
  }
})

test('a write to the file a link leads to is seen', async () => {
  mkdirSync(at('elsewhere'))
  writeFileSync(at('elsewhere/real.yaml'), 'one')
  mkdirSync(at('here'))
  symlinkSync(at('elsewhere/real.yaml'), at('here/a.yaml'))
  await start([at('here/a.yaml')])
  writeFileSync(at('elsewhere/real.yaml'), 'other')
  await changed(1)
})

test('the swap of a link on the way to the file is seen', async () => {
  for (const release of ['1', '2']) {
    mkdirSync(at(`releases/${release}`), { recursive: true })
    writeFileSync(at(`releases/${release}/a.yaml`), 'same')
  }
  mkdirSync(at('app'))
  symlinkSync(at('releases/1'), at('app/current'))
  await start([at('app/current/a.yaml')])
  symlinkSync(at('releases/2'), at('app/next'))
  renameSync(at('app/next'), at('app/current'))
  await changed(1)
})

test('a file that comes to be, new names in a folder, and what an update adds are seen', async () => {
  mkdirSync(at('policies'))
  const handle = await start([at('missing.yaml')], [at('policies')])
  writeFileSync(at('missing.yaml'), 'here')
  await changed(1)
  writeFileSync(at('policies/new.cedar'), '')
  await changed(2)
  mkdirSync(at('contracts'))
  writeFileSync(at('contracts/shop.yaml'), '')
  handle.update({ files: [at('contracts/shop.yaml')], folders: [] })
  await sleep(150)
  writeFileSync(at('contracts/shop.yaml'), 'longer')
  await changed(3)
})

test('a folder that comes to be is watched from then on', async () => {
  await start([at('contracts/shop/api.yaml')], [at('policies')])
  mkdirSync(at('policies'))
  await changed(1)
  writeFileSync(at('policies/a.cedar'), '')
  await changed(2)
  mkdirSync(at('contracts'))
  await sleep(400)
  mkdirSync(at('contracts/shop'))
  await sleep(400)
  writeFileSync(at('contracts/shop/api.yaml'), '')
  await changed(3)
})

test('after close nothing is called', async () => {
  writeFileSync(at('a.yaml'), '1')
  const handle = await start([at('a.yaml')])
  writeFileSync(at('a.yaml'), '12')
  await handle.close()
  await sleep(350)
  expect(changes).toBe(0)
})
