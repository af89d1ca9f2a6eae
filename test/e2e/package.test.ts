import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socketDrive } from '../../demo/demo.ts'
import { startGate, startServices, writeSampleConfig } from '../../demo/sample-gate.ts'
import { runTour } from '../../demo/tour.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../..')

const INSIDE = `identity: { issuers: { corp: { issuer: "http://127.0.0.1:9" } } }
apis:
  open:
    contract: ./api.yaml
    upstream: http://127.0.0.1:3000
    identity: { accept: [corp], audience: open }
    mode: enforce
policies: ./policies
store: ./data
`
const OPEN_API = `openapi: 3.1.0
info: { title: open, version: 1.0.0 }
paths:
  /open:
    get:
      operationId: getOpen
      security: []
      responses:
        '200':
          description: ok
          content: { application/json: { schema: { type: object, properties: { ok: { type: boolean } } } } }
`
const SERVICE = `import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { openGate } from 'sallyport/middleware'

mkdirSync('policies', { recursive: true })
writeFileSync('policies/open.cedar', 'permit (principal, action, resource);')
const gate = await openGate({ config: './sallyport.yaml', log: () => undefined })
const server = createServer(
  gate.handler((request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end('{"ok":true,"more":1}')
  }),
)
server.listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port
  const open = await fetch(url + '/open')
  const answered = [open.status, await open.text()]
  const closed = (await fetch(url + '/closed')).status
  const { calls } = gate.stats
  server.closeAllConnections()
  server.close()
  await gate.close()
  console.log(JSON.stringify({ open: answered, closed, calls }))
})
`
const TYPED = `import { createServer } from 'node:http'
import { type EmbeddedGate, openGate } from 'sallyport/middleware'

const gate: EmbeddedGate = await openGate({ unmatched: 'next' })
createServer(gate.handler((request) => gate.callOf(request)?.subject.id.length))
// @ts-expect-error: it is a text, so the types are there
export const wrong: number = gate.callOf({})?.subject.id ?? 0
`

/** The published package: packed, installed in an empty folder, and put in front of the demo's services. */
describe('the packed package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-package-'))
  const bin = join(folder, 'node_modules', 'sallyport', 'bin', 'sallyport.js')

  beforeAll(async () => {
    await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT })
    const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
    mkdirSync(join(folder, 'empty'))
    await run(
      'npm',
      [
        'install',
        '--silent',
        '--no-audit',
        '--no-fund',
        '--prefer-offline',
        '--prefix',
        folder,
        join(folder, tarball),
      ],
      { cwd: folder },
    )
  }, 180_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('holds compiled JavaScript and neither the demo nor tests', () => {
    const installed = join(folder, 'node_modules', 'sallyport')
    const top = readdirSync(installed)
    expect(top).toContain('dist')
    expect(top).not.toContain('src')
    expect(top).not.toContain('demo')
    expect(top).not.toContain('test')
    const manifest: { engines: { node: string } } = JSON.parse(
      readFileSync(join(installed, 'package.json'), 'utf8'),
    )
    expect(manifest.engines.node).toBe('>=24.15')
  })

  it('says where the demo is', async () => {
    const failed = await run(process.execPath, [bin, 'demo', '--once'], { cwd: folder }).catch(
      (error: { code: number; stderr: string }) => error,
    )
    expect(failed).toMatchObject({ code: 2 })
    expect(failed.stderr).toContain('demo/')
  })

  it('opens the gate inside a service, typed', async () => {
    const at = join(folder, 'service')
    mkdirSync(at)
    writeFileSync(join(at, 'sallyport.yaml'), INSIDE)
    writeFileSync(join(at, 'api.yaml'), OPEN_API)
    writeFileSync(join(at, 'service.mjs'), SERVICE)
    const { stdout } = await run(process.execPath, [join(at, 'service.mjs')], { cwd: at })
    expect(JSON.parse(stdout)).toEqual({ open: [200, '{"ok":true}'], closed: 404, calls: 2 })
    writeFileSync(join(at, 'typed.mts'), TYPED)
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2024']
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules', '@types')]
    await run(join(ROOT, 'node_modules', '.bin', 'tsc'), [...flags, ...types, join(at, 'typed.mts')], {
      cwd: at,
    })
  }, 60_000)

  it('exports what its types name, to import and to require', async () => {
    const names = ['SallyportError', 'openGate']
    const shown = 'console.log(Object.keys(gate).sort().join())'
    const ways = [
      ['module', `import * as gate from 'sallyport/middleware'; ${shown}`],
      ['commonjs', `const gate = require('sallyport/middleware'); ${shown}`],
    ] as const
    for (const [type, script] of ways) {
      const args = [`--input-type=${type}`, '--eval', script]
      const { stdout, stderr } = await run(process.execPath, args, { cwd: folder })
      expect([stdout.trim(), stderr]).toEqual([names.join(), ''])
    }
  })

  it('says which Node it needs, to an older one', async () => {
    const older =
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.3.0" } })'
    const args = ['--import', `data:text/javascript,${older}`, '--input-type=module']
    const failed = await run(process.execPath, [...args, '--eval', "import 'sallyport/middleware'"], {
      cwd: folder,
    }).catch((error: { stderr: string }) => error)
    expect(failed.stderr).toContain('sallyport/middleware needs Node.js 24.15 or newer; this is 22.3.0.')
  })

  it('passes the tour', async () => {
    process.env['SALLYPORT_BIN'] = bin
    const services = await startServices({ shop: 0, provider: 0 })
    try {
      const config = writeSampleConfig(join(folder, 'tour'), { ...services, port: 0, managementPort: 0 })
      const gate = await startGate(config, { gate: 0, management: 0 })
      try {
        const result = await runTour(socketDrive(services, gate))
        expect(result.steps.filter(({ ok }) => !ok)).toEqual([])
        expect(result.ok).toBe(true)
      } finally {
        await gate.stop()
      }
    } finally {
      delete process.env['SALLYPORT_BIN']
      await services.stop()
    }
  }, 60_000)
})
