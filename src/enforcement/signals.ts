import { askSource, type SourceAnswer, sourceFinding } from '../information/decision-source.ts'
import { questionAbout } from '../information/question.ts'
import type { SignalPlan } from '../model/bundle.ts'
import type { DecisionInput } from '../model/decision.ts'
import type { Exchange } from '../model/exchange.ts'
import type { Finding } from '../model/fact.ts'
import type { Gate } from './gate.ts'
import type { Journal } from './journal.ts'

/**
 * What the decision sources of the API say of the call, asked at once; each has its own deadline. The longest of them
 * is how long the call waits. Without input there is no operation to ask about.
 */
export async function askSources(
  sources: readonly SignalPlan[],
  exchange: Exchange,
  input: DecisionInput,
  journal: Journal,
  gate: Gate,
): Promise<readonly Finding[]> {
  const started = gate.clock.now().monoMs
  const question = questionAbout(input)
  const ports = {
    upstream: gate.sources ?? gate.upstream,
    credential: (reference: string) => gate.credential?.(reference) ?? null,
  }
  const answers = await Promise.all(sources.map((source) => askSource(source, question, exchange.id, ports)))
  journal.askedSources(
    sources.map(({ name }, index) => ({ name, status: statusOf(answers[index]) })),
    gate.clock.now().monoMs - started,
  )
  return sources.flatMap(({ name }, index) => {
    const answer = answers[index]
    return answer === undefined ? [] : [sourceFinding(name, answer)]
  })
}

function statusOf(answer: SourceAnswer | undefined): number {
  return answer?.kind === 'failed' ? (answer.status ?? 0) : 200
}
