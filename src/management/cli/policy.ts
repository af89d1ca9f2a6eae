import type { Command } from 'commander'
import type { CliActions } from './actions.ts'
import { policyDiffCommand } from './policy-diff.ts'
import { policyGraphCommand } from './policy-graph.ts'
import { policyLintCommand } from './policy-lint.ts'
import { policySchemaCommand } from './policy-schema.ts'
import { policyTestCommand } from './policy-test.ts'

/** Commands about what is allowed, before any call is made. Each is a file of its own. */
export function policyCommand(program: Command, actions: CliActions): void {
  const policy = program.command('policy').description('see, test and compare what is allowed')
  policyGraphCommand(policy, actions)
  policySchemaCommand(policy, actions)
  policyTestCommand(policy, actions)
  policyLintCommand(policy, actions)
  policyDiffCommand(policy, actions)
}
