import { existsSync } from 'node:fs'
import type { Side } from '../assurance/side.ts'
import { readConfig } from '../config/read.ts'
import { CedarEngine } from '../decision/cedar/evaluate.ts'
import type { PolicyPlan } from '../model/bundle.ts'
import type { PolicyEngine } from '../model/decision.ts'
import { SallyportError } from '../model/errors.ts'
import { findVersion, listVersions } from '../store/bundle-versions.ts'
import { readDataDirectory } from '../store/data-directory.ts'
import { type CompiledBundle, compileBundle } from './compile-bundle.ts'
import { keyOf, readStoredBundle } from './open-bundle.ts'

/** A side of a comparison and the way to free its engine. */
export interface OpenSide extends Side {
  close(): void
}

export function engineOf(plan: PolicyPlan): PolicyEngine & { close(): void } {
  return new CedarEngine(plan)
}

export function sideOfBundle({ head, apis, policies }: CompiledBundle): OpenSide {
  const engine = engineOf(policies)
  return {
    head,
    apis: apis.map(({ plan, contract }) => ({
      plan,
      operations: contract?.operations.map((operation) => operation.plan) ?? [],
    })),
    policies,
    engine,
    close: () => engine.close(),
  }
}

/** A version, a hash or the beginning of one, as `replay` and `rollback` take them. */
const STORED = /^(?:\d{1,7}|[0-9a-f]{8,64})$/

/** A configuration's file, or a bundle in the store of `config`: its version, its hash or the hash's beginning. */
export function openSide(named: string, config: string): OpenSide {
  const isFile = existsSync(named)
  if (isFile || !STORED.test(named)) {
    if (!isFile && !/[./\\]/.test(named))
      throw new SallyportError(
        'config-missing',
        `${named} is neither a configuration’s file nor the version or hash of a bundle: sallyport bundle list names them`,
      )
    return sideOfBundle(compileBundle(named))
  }
  const store = storeOf(config)
  const { hash } = findVersion(listVersions(store.bundles, keyOf(store)), named)
  const { head, apis, operations, policies } = readStoredBundle(store, hash)
  const engine = engineOf(policies)
  return {
    head,
    apis: apis.map((plan) => ({ plan, operations: operations.filter(({ api }) => api === plan.name) })),
    policies,
    engine,
    close: () => engine.close(),
  }
}

export function storeOf(config: string): ReturnType<typeof readDataDirectory> {
  try {
    return readDataDirectory(readConfig(config).store)
  } catch (error) {
    if (error instanceof SallyportError) throw error
    throw new SallyportError('usage', `the store of ${config} cannot be read`, {}, error)
  }
}
