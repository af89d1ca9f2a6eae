import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socketDrive } from '../../demo/demo.ts'
import { startGate, startServices, writeSampleConfig } from '../../demo/sample-gate.ts'
import { runTour } from '../../demo/tour.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../..')

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
