import { hash } from 'node:crypto'
import type { ApiPlan, BundleHead, BundlePart } from '../../model/bundle.ts'
import type { AnswerMode, OperationKey, OperationPlan, UnknownFields } from '../../model/operation.ts'

/**
 * What a bundle says of calls, without its validators: enough to see whether a fact that a record states (the route,
 * who called, what the contract found) would be stated by another bundle too.
 */
export interface BundleOutline {
  readonly bundle: string
  readonly head: BundleHead
  readonly apis: ReadonlyMap<string, ApiOutline>
  /** Digests of what decides a fact: equal digests, equal facts. */
  readonly routing: string
  readonly limits: string
  /** How each issuer's tokens are read, by its name. */
  readonly issuers: ReadonlyMap<string, string>
}

export interface ApiOutline {
  readonly plan: ApiPlan
  readonly identity: string
  readonly operations: ReadonlyMap<OperationKey, OperationOutline>
}

export interface OperationOutline {
  readonly plan: OperationPlan
  /** Of its checks of parameters, body and answer. */
  readonly contract: string
  readonly object: string
  /** What becomes of what those checks find undeclared. */
  readonly answers: AnswerMode
  readonly unknownFields: UnknownFields
}

interface Building {
  readonly plan: ApiPlan
  readonly operations: Map<OperationKey, OperationOutline>
  modules: string
}

/** Made part by part, as a bundle is read. */
export class OutlineBuilder {
  readonly #bundle: string
  #head: BundleHead | null = null
  readonly #apis = new Map<string, Building>()

  constructor(bundle: string) {
    this.#bundle = bundle
  }

  add(part: BundlePart): void {
    switch (part.part) {
      case 'head':
        this.#head = part.head
        return
      case 'api':
        this.#apis.set(part.api.name, { plan: part.api, operations: new Map(), modules: '' })
        return
      case 'module': {
        const api = this.#apis.get(part.api)
        // Checks call one another across modules, so an operation's checks are as new as the newest of its API.
        if (api !== undefined) api.modules = digest(`${api.modules}\n${part.source}`)
        return
      }
      case 'operation': {
        const { plan, detail } = part.operation
        const api = this.#apis.get(plan.api)
        if (api === undefined) return
        const { maxRequestBytes, maxAnswerBytes, largeAnswers, requestCodings, urls } = api.plan
        const [answers, unknownFields] = [
          plan.answers ?? api.plan.answers ?? 'strip',
          plan.unknownFields ?? api.plan.unknownFields ?? 'reject',
        ]
        const blocks = answers === 'block'
        const sizes = [maxRequestBytes, maxAnswerBytes, largeAnswers, blocks]
        const contract = digest([api.modules, detail, ...sizes, requestCodings ?? null, urls ?? null])
        const object = digest(plan.object ?? null)
        api.operations.set(plan.key, { plan, contract, object, answers, unknownFields })
        return
      }
      case 'policies':
        return
    }
  }

  /** Null where the bundle has no head: it is none. */
  finish(): BundleOutline | null {
    const head = this.#head
    if (head === null) return null
    const apis = new Map<string, ApiOutline>()
    for (const [name, { plan, operations }] of this.#apis)
      apis.set(name, { plan, operations, identity: identityOf(plan, head) })
    return {
      bundle: this.#bundle,
      head,
      apis,
      routing: routingOf(apis),
      limits: digest(head.limits),
      issuers: new Map(head.issuers.map((issuer) => [issuer.name, digest(issuer)])),
    }
  }
}

function identityOf({ accept, audience, maxTokenAgeSeconds, credential }: ApiPlan, head: BundleHead): string {
  const issuers = head.issuers.filter(({ name }) => accept.includes(name))
  const { tokenBytes } = head.limits
  return digest([accept, audience, maxTokenAgeSeconds ?? null, credential, tokenBytes, issuers])
}

function routingOf(apis: ReadonlyMap<string, ApiOutline>): string {
  const routes = [...apis.values()].map(({ plan, operations }) => [
    plan.name,
    plan.hosts,
    plan.basePath,
    plan.governed,
    [...operations.values()].map(({ plan: { key, method, template } }) => [key, method, template]),
  ])
  return digest(routes)
}

function digest(value: unknown): string {
  return hash('sha256', typeof value === 'string' ? value : JSON.stringify(value), 'base64url')
}
