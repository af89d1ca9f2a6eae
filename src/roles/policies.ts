import { measureCoverage } from '../assurance/coverage.ts'
import { diffPolicies } from '../assurance/diff.ts'
import { lintPolicies } from '../assurance/lint.ts'
import { type RecordsDiff, RecordsTally } from '../assurance/records-diff.ts'
import type { Side } from '../assurance/side.ts'
import { readRecords } from '../audit/read.ts'
import { expressionText } from '../decision/cedar/cedar-text.ts'
import type { PolicyActions } from '../management/policy-actions.ts'
import { attributesOf, decisionsOf } from '../management/record-view.ts'
import { readStoreKey } from '../store/store-keys.ts'
import { compileBundle, testedApis } from './compile-bundle.ts'
import { engineOf, openSide, sideOfBundle, storeOf } from './policy-sides.ts'

/** Recorded calls looked at by `policy diff --records`, the newest last; `replay` reads all. */
const MAX_RECORDS = 200_000

/** Reads configuration, contracts and policies, and judges by them; starts and changes nothing. */
export const policyActions: PolicyActions = {
  test: async (config, { coverage }) => {
    const bundle = compileBundle(config)
    const { tests, policies, read, places } = bundle
    if (!coverage) return { tests, coverage: null }
    const files = read.policyTests
    const measured = measureCoverage({
      files,
      apis: testedApis(bundle.apis),
      policies,
      places,
      engineOf,
      textOf: (expression) => expressionText(expression) ?? '',
    })
    return { tests, coverage: measured }
  },
  lint: async (config, { bound, onProgress }) => {
    const bundle = compileBundle(config)
    const side = sideOfBundle(bundle)
    try {
      const report = lintPolicies(side, { bound, engineOf, onProgress })
      const findings = report.findings.map((finding) => ({
        ...finding,
        place: bundle.places.get(finding.policy) ?? '',
      }))
      return { ...report, findings, policies: bundle.places.size }
    } finally {
      side.close()
    }
  },
  diff: async ({ before, after, config, records }, { bound, onProgress }) => {
    const old = openSide(before, config)
    try {
      const next = openSide(after, config)
      try {
        const report = diffPolicies(old, next, { bound, onProgress })
        const recorded = records ? await diffRecords(config, old, next) : null
        const widened = report.widened || (recorded?.changes.some((change) => change.widened) ?? false)
        return { ...report, widened, records: recorded }
      } finally {
        next.close()
      }
    } finally {
      old.close()
    }
  },
}

async function diffRecords(config: string, before: Side, after: Side): Promise<RecordsDiff> {
  const directory = storeOf(config)
  const tally = new RecordsTally(before, after)
  let read = 0
  for await (const record of readRecords(directory.audit, {
    storeKey: readStoreKey(directory),
    filter: {},
  })) {
    if (read++ >= MAX_RECORDS) return tally.report(true)
    tally.add({
      id: record.intent.id,
      decisions: decisionsOf(record),
      attributes: attributesOf(record),
    })
  }
  return tally.report(false)
}
