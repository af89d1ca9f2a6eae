import { shown } from '../config/document.ts'
import { Findings } from '../config/findings.ts'
import { schemaFindings } from '../config/issues.ts'
import { ConfigError, type Segments } from '../config/place.ts'
import type { ReadConfig } from '../config/read.ts'
import { policyTestFileSchema } from '../decision/policy-test-file.ts'

/**
 * A file of policy tests that is none is wrong as a configuration is: tests that cannot be read are not failed ones.
 * @throws {ConfigError} `config-invalid`; each problem with its place and the name of its test.
 */
export function requireTestForm({
  policyTests,
  files,
  folders,
}: Pick<ReadConfig, 'policyTests' | 'files' | 'folders'>): void {
  const findings = new Findings()
  for (const { file, text, data } of policyTests) {
    const parsed = policyTestFileSchema.safeParse(data)
    if (parsed.success) continue
    for (const { segments, at, message, hint } of schemaFindings(parsed.error, policyTestFileSchema, data))
      findings.problem({ file, text, base: [] }, segments, `${testName(data, segments)}${message}`, hint, at)
  }
  if (findings.problems.length > 0) throw new ConfigError('config-invalid', findings.problems, files, folders)
}

/** `the test "owners": `, where the place lies in a test that has a name. */
function testName(data: unknown, [list, index]: Segments): string {
  if (list !== 'tests' || typeof index !== 'number') return ''
  const tests = member(data, list)
  const name = Array.isArray(tests) ? member(tests[index], 'name') : undefined
  return typeof name === 'string' && name !== '' ? `the test "${shown(name)}": ` : ''
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Readonly<Record<string, unknown>>)[key]
}
