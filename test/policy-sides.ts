import type { Side } from '../src/assurance/side.ts'
import { compilePolicies } from '../src/decision/cedar/compile.ts'
import { CedarEngine } from '../src/decision/cedar/evaluate.ts'
import type { ApiPlan } from '../src/model/bundle.ts'
import type { ObjectPlan, OperationPlan } from '../src/model/operation.ts'

/** An operation of the API `shop`. */
export function plan(given: {
  readonly key: string
  readonly method?: string
  readonly template?: string
  /** Where an object's owner and tenant become known. */
  readonly object?: ObjectPlan['ownerKnownAt']
  readonly scopes?: readonly string[]
  readonly need?: OperationPlan['security']['need']
}): OperationPlan {
  const { key, method = 'GET', template = '/things', object, scopes = [], need = 'required' } = given
  return {
    key,
    api: 'shop',
    method,
    template,
    tags: [],
    kind: method === 'GET' ? 'read' : 'write',
    deprecated: false,
    security: {
      need,
      alternatives: scopes.length === 0 ? [] : [{ schemes: [{ name: 'oauth', kind: 'bearer', scopes }] }],
    },
    ...(object === undefined
      ? {}
      : {
          object: {
            type: 'order',
            owner: ['customerId'],
            tenant: ['tenant'],
            hideAbsent: true,
            ownerKnownAt: object,
          },
        }),
  }
}

export function apiPlan(changes: Partial<ApiPlan> = {}): ApiPlan {
  return {
    name: 'shop',
    owner: 'team',
    governed: true,
    mode: 'enforce',
    hosts: [],
    basePath: '',
    upstream: { origin: 'http://127.0.0.1:3000', basePath: '' },
    accept: ['corp'],
    audience: ['shop'],
    credential: 'replace',
    onAuditFailure: 'deny',
    timeouts: { connectMs: 1000, headMs: 1000, bodyMs: 1000, requestMs: 1000 },
    stripHeaders: [],
    maxRequestBytes: 1000,
    maxAnswerBytes: 1000,
    tenant: 'default',
    environment: 'default',
    ...changes,
  }
}

/** One API with these policies, as `policy diff` sees a configuration. */
export function sideOf(text: string, operations: readonly OperationPlan[], api = apiPlan()): Side {
  const { plan: policies } = compilePolicies({
    files: [{ file: 'p.cedar', text }],
    apis: [{ api: 'shop', operations }],
    zones: ['branch', 'plant'],
  })
  return {
    head: { issuers: [] },
    apis: [{ plan: api, operations }],
    policies,
    engine: new CedarEngine(policies),
  }
}
