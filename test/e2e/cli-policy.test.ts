import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** `sallyport policy test`, `lint` and `diff` as a person or a pipeline runs them. */

const ROOT = resolve(import.meta.dirname, '../..')
const BIN = join(ROOT, 'bin', 'sallyport.js')
const folder = mkdtempSync(join(tmpdir(), 'sallyport-policy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const CONFIG = (policies: string): string => `identity:
  issuers:
    corp: { issuer: "https://idp.example" }
apis:
  shop:
    contract: ./shop.openapi.yaml
    upstream: http://127.0.0.1:3000
    identity: { accept: [corp], audience: https://shop.example }
    mode: enforce
    objects:
      order: { path: "/orders/{orderId}", owner: /customerId, lookup: getOrder, hideAbsent: true }
policies: ./${policies}
`
const OWNER = `@id("owner")
permit (principal is User, action in [Action::"shop.getOrder", Action::"shop.updateOrder"], resource)
when { resource has owner && resource.owner == principal };
`
const STAFF = `@id("staff")
permit (principal in Group::"corp/staff", action == Action::"shop.updateOrder", resource);
`
const TESTS = (verdict: string): string => `tests:
  - name: owners
    given: { principal: { id: corp/ana, scopes: ['orders:read'] } }
    call: shop.getOrder
    answer: { owner: corp/ana }
    verdict: ${verdict}
`

beforeAll(() => {
  copyFileSync(join(ROOT, 'demo', 'shop.openapi.yaml'), join(folder, 'shop.openapi.yaml'))
  const write = (name: string, policies: string, verdict = 'allow'): void => {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'p.cedar'), policies)
    writeFileSync(join(folder, name, 'p.test.yaml'), TESTS(verdict))
    writeFileSync(join(folder, `${name}.yaml`), CONFIG(name))
  }
  write('old', OWNER)
  write('new', OWNER + STAFF)
  write('wrong', OWNER, 'deny')
  writeFileSync(join(folder, 'observed.yaml'), CONFIG('old').replace('mode: enforce', 'mode: observe'))
  write('twice', OWNER + OWNER.replace('"owner"', '"again"'))
})

function run(...args: readonly string[]): { readonly code: number | null; readonly out: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'policy', ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { code: status, out: stdout + stderr }
}

describe('sallyport policy', () => {
  it('diff exits with 1 where access widened, and says who may what', () => {
    const { code, out } = run('diff', 'old.yaml', 'new.yaml')
    expect(out).toContain('widened: Group corp/staff may now call shop.updateOrder without owning it')
    expect(out).toContain('after: allow (staff)')
    expect(out).toContain('ACCESS WIDENED')
    expect(code).toBe(1)
  })

  it('diff exits with 0 where it narrowed only', () => {
    const { code, out } = run('diff', 'new.yaml', 'old.yaml')
    expect(out).toContain('narrowed: Group corp/staff may no longer call shop.updateOrder without owning it')
    expect(code).toBe(0)
  })

  it('diff counts settings beside policies', () => {
    const { code, out } = run('diff', 'old.yaml', 'observed.yaml')
    expect(out).toContain('policies of 12 operations: 12 the same, 0 decided')
    expect(out).toMatch(/settings: [1-9]\d* widened, 0 narrowed\nACCESS WIDENED/)
    expect(code).toBe(1)
  })

  it('points from a mistake to the command’s own help', () => {
    expect(run('diff', 'old.yaml').out).toContain('(sallyport policy diff --help says how)')
  })

  it('diff prints one JSON document', () => {
    const { code, out } = run('diff', 'old.yaml', 'new.yaml', '--json')
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      widened: true,
      compared: { operations: 12, same: 11, decided: 1, generated: 0 },
      operations: [{ operation: 'shop.updateOrder', how: 'decided' }],
      generated: [],
      records: null,
    })
    expect(code).toBe(1)
  })

  it('diff exits with 2 for what it cannot read', () => {
    expect(run('diff', 'old.yaml', 'missing.yaml').code).toBe(2)
    expect(run('diff', 'old.yaml', 'f'.repeat(64), '--config', 'old.yaml').code).toBe(2)
    expect(run('diff', 'old.yaml', 'new.yaml', '--requests', 'many').code).toBe(2)
  })

  it('lint names rule and place', () => {
    expect(run('lint', '--config', 'old.yaml')).toMatchObject({ code: 0 })
    const { code, out } = run('lint', '--config', 'twice.yaml')
    expect(out).toMatch(/twice\/p\.cedar:4:1: again: owner permits exactly the same \(duplicate, decided\)/)
    expect(code).toBe(1)
  })

  it('test runs what lies beside the policies, and measures what it reaches', () => {
    expect(run('test', '--config', 'wrong.yaml')).toMatchObject({ code: 1 })
    const { code, out } = run('test', '--config', 'new.yaml', '--coverage')
    expect(out).toContain('1 of 1 policy test pass')
    expect(out).toMatch(/new\/p\.cedar:4:1: staff: decided in no test/)
    expect(out).toContain('when { resource.owner == principal }: only ever true')
    expect(code).toBe(0)
  })
})
