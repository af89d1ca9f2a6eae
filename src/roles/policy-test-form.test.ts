import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { ConfigError } from '../config/place.ts'
import { requireTestForm } from './policy-test-form.ts'

function problemsOf(text: string): readonly string[] {
  const policyTests = [{ file: 'p.test.yaml', text, data: parse(text) as unknown }]
  try {
    requireTestForm({ policyTests, files: ['/p.test.yaml'], folders: [] })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.code).toBe('config-invalid')
    return error.message.split('\n')
  }
}

const WELL = `tests:
  - name: owners
    given: { principal: { id: corp/ana } }
    call: shop.getOrder
    verdict: allow
`

test('tests in form are none of its business', () => {
  expect(problemsOf(WELL)).toEqual([])
})

test('what is wrong has its place and the name of its test', () => {
  expect(problemsOf(WELL.replace('verdict: allow', 'verdict: alow'))).toEqual([
    'p.test.yaml:5:14: the test "owners": verdict must be allow, deny or pending (Did you mean "allow"?)',
  ])
})

test('a misspelt key stands at the key, and a test without a name has none', () => {
  const text = WELL.replace('- name: owners\n    given', '- given').replace('verdict:', 'verdit:')
  const problems = problemsOf(text)
  expect(problems).toContainEqual(
    expect.stringMatching(/^p\.test\.yaml:4:5: unknown key "verdit" \(Did you mean "verdict"\?\)$/),
  )
  expect(problems.join('\n')).not.toContain('the test "')
})

test.each(['', '[]', 'tests: 7', 'tests: [7]', 'test: []'])('%j is refused with a place', (text) => {
  expect(problemsOf(text)).not.toEqual([])
  for (const problem of problemsOf(text)) expect(problem).toMatch(/^p\.test\.yaml:\d+:\d+: /)
})
