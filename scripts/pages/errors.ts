import { FAULTS } from '../../src/model/errors.ts'
import { page } from './markdown.ts'

export function errorsPage(): string {
  return page(
    'Errors',
    'src/model/errors.ts',
    'A fault is something that does not work, never a refusal ([reasons](reasons.md) tell those). Its code is stable: the command line prints it, `--json` carries it, logs name it. A command that ends in a fault exits with 2.',
    ...Object.entries(FAULTS).map(([name, summary]) => `## ${name}\n\n${summary}`),
  )
}
