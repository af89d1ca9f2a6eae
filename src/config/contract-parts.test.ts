import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ContractPart, readContractParts } from './contract-parts.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'contract-parts-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(name: string, text: string): string {
  const path = join(root, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

function read(text: string): { parts: ReadonlyMap<string, ContractPart>; touched: string[] } {
  const touched: string[] = []
  const file = write('api/shop.yaml', text)
  return { parts: readContractParts(file, text, (path) => touched.push(path)), touched }
}

const whys = (parts: ReadonlyMap<string, ContractPart>): Record<string, string> =>
  Object.fromEntries([...parts].map(([name, part]) => [name, part.ok ? 'read' : part.why]))

describe('files a contract refers to', () => {
  it('are read with those that they refer to, each once, and all are to be watched', () => {
    write('api/schemas/order.yaml', 'a: { $ref: ../ids.json#/Id }\nb: { $ref: ./order.yaml#/a }\n')
    write('api/ids.json', '{"Id": {"$ref": "shop.yaml#/x"}, "Other": {"$ref": "missing.yml"}}')
    const { parts, touched } = read("x: { $ref: './schemas/order.yaml#/a' }\ny: { $ref: '#/x' }\n")
    expect(whys(parts)).toEqual({
      'schemas/order.yaml': 'read',
      'ids.json': 'read',
      'missing.yml': 'does not exist',
    })
    expect(touched).toEqual(
      ['schemas/order.yaml', 'ids.json', 'missing.yml'].map((name) => join(root, 'api', name)),
    )
  })

  it('are found however a reference is written', () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) write(`api/${name}.yaml`, 'type: string\n')
    const { parts } = read(
      '{"x": {"$ref" :\n "a.yaml"}, "y": {"\\u0024ref": "b.yaml"}, "z": [{"$ref": "c%2Eyaml"}, {"$ref": "./e.yaml"}]}',
    )
    expect(whys(parts)).toEqual({ 'a.yaml': 'read', 'b.yaml': 'read', 'c.yaml': 'read', 'e.yaml': 'read' })
    expect(whys(read('x:\n  $ref: >-\n    d.yaml\n').parts)).toEqual({ 'd.yaml': 'read' })
  })

  it('lie in the contract’s own folder, really', () => {
    write('secret.yaml', 'password: hunter2\n')
    write('api/real.yaml', 'type: string\n')
    symlinkSync(join(root, 'secret.yaml'), join(root, 'api/link.yaml'))
    symlinkSync(root, join(root, 'api/up'))
    symlinkSync(join(root, 'api/real.yaml'), join(root, 'api/inner.yaml'))
    const refs = [
      'link.yaml',
      'up/secret.yaml',
      'inner.yaml',
      '../secret.yaml',
      'file:///etc/passwd',
      join(root, 'secret.yaml'),
      'http://127.0.0.1:1/x.yaml',
      '%2e%2e/secret.yaml',
    ]
    const { parts, touched } = read(refs.map((ref, i) => `x${i}: { $ref: '${ref}' }`).join('\n'))
    expect(whys(parts)).toEqual({
      'link.yaml': 'leads out of the contract’s folder',
      'up/secret.yaml': 'leads out of the contract’s folder',
      'inner.yaml': 'read',
    })
    expect(touched).not.toContain(join(root, 'secret.yaml'))
  })

  it('are JSON or YAML by name, no folder and no device', () => {
    write('api/.env', 'TOKEN=x\n')
    mkdirSync(join(root, 'api/folder.yaml'))
    const { parts } = read('a: { $ref: .env }\nb: { $ref: folder.yaml }\nc: { $ref: key.pem }\n')
    expect(whys(parts)).toEqual({
      '.env': 'is no .yaml, .yml or .json file',
      'folder.yaml': 'is a folder, not a file',
      'key.pem': 'is no .yaml, .yml or .json file',
    })
  })

  it('are bounded in number and size', () => {
    const many = Array.from({ length: 1_500 }, (_, i) => `x${i}: { $ref: p${i}.yaml }`).join('\n')
    const { parts } = read(many)
    expect(parts.size).toBe(1_001)
    expect(whys(parts)['p1000.yaml']).toContain('one file more than the 1000')
    write('api/big.yaml', 'x'.repeat(33 * 1_048_576))
    expect(whys(read('a: { $ref: big.yaml }').parts)['big.yaml']).toContain('larger than 32 MiB')
  })

  it('are none where a text cannot be read: that is the compiler’s to say', () => {
    expect(whys(read('a: [ { $ref: x.yaml }').parts)).toEqual({})
  })
})
