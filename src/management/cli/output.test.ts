import { afterEach, expect, test, vi } from 'vitest'
import { SallyportError } from '../../model/errors.ts'
import { conclude, output } from './output.ts'

afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

async function toldOf(error: unknown, wantsJson = false) {
  const said = { out: '', err: '' }
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said.out += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.err += String(text)
    return true
  })
  await conclude(output(wantsJson), () => Promise.reject(error))
  const code = process.exitCode
  vi.restoreAllMocks()
  return { ...said, code }
}

test('an error nobody foresaw is called the program’s own, with where it happened and what to do', async () => {
  const { err, code } = await toldOf(new TypeError("Cannot read properties of undefined (reading 'get')"))
  expect(code).toBe(2)
  expect(err).toMatch(/^a fault of the program, not of what it was given: Cannot read properties/)
  expect(err).toMatch(/\n +at .*output\.test\.ts/)
  expect(err).toContain('Please report it')
  expect(err).toContain('sallyport --version')
  const { out } = await toldOf(new TypeError('x'), true)
  expect(JSON.parse(out)).toEqual({ ok: false, code: 'internal', message: 'x' })
})

test('what the system refuses, and faults with a code, are not', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left'), { syscall: 'write', code: 'ENOSPC' })
  expect((await toldOf(full)).err).toBe('ENOSPC: no space left\n')
  const fault = new SallyportError('policy-invalid', 'p.cedar:1:1: no')
  expect((await toldOf(fault)).err).toBe('p.cedar:1:1: no\n(policy-invalid)\n')
})
