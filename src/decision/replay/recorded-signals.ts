import type { Finding } from '../../model/fact.ts'
import type { Against, RecordedCall } from './replayed.ts'

/**
 * What decision sources outside the gate said of the call, as far as it stands under another bundle: where that asks
 * nobody, nothing; where it asks others, or the call ended before any was asked, null, because nobody knows.
 */
export function signalFindings(
  { outcome }: Pick<RecordedCall, 'outcome'>,
  stated: readonly Finding[],
  { api, from }: Pick<Against, 'api' | 'from'>,
): readonly Finding[] | null {
  const { signals } = api.plan
  if (signals === undefined) return []
  if (JSON.stringify(from?.plan.signals) !== JSON.stringify(signals)) return null
  const asked = outcome.lookups.some(({ operation }) => operation.startsWith('signal '))
  return asked ? stated.filter(({ reason: { source } }) => source === 'signal') : null
}
