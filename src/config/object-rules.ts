import { dirname } from 'node:path'
import type { RequestPlace } from '../model/operation.ts'
import { parsePointer } from '../syntax/json-pointer.ts'
import { beside, type FoundApi } from './api-files.ts'
import { readDocument, shown } from './document.ts'
import type { FieldsBeside } from './field-schema.ts'
import { liesBelow, readTextFile } from './files.ts'
import type { Findings, Source } from './findings.ts'
import { schemaFindings } from './issues.ts'
import { besideFile, type ListSettings, type RuleSettings } from './object-schema.ts'
import type { Segments } from './place.ts'

/** Object rules from wherever they stand, each with its place: the sources add up, and none overrules another. */

const MAX_BESIDE_BYTES = 1_048_576

export interface PlacedRule {
  readonly type: string
  readonly rule: RuleSettings
  /** `base` is the rule itself. */
  readonly source: Source
}

/** An object rule as the bundle's compiler takes it; the contract room finds its operations. */
export interface ObjectRule {
  readonly type: string
  /** Path template below the base path, as in the contract. */
  readonly path: string
  /** Reference tokens of the JSON pointers. */
  readonly owner?: readonly string[]
  readonly tenant?: readonly string[]
  readonly requestOwner?: RequestPlace
  readonly requestTenant?: RequestPlace
  /** Claim of the issuer's tokens that the owner field holds; left out: `sub`. */
  readonly ownerClaim?: string
  /** Config name of the issuer whose subjects and tenants the fields name; set wherever tokens are accepted. */
  readonly issuer?: string
  /** operationId of the look-up, as written: without the API's name. */
  readonly lookup?: string
  readonly lists?: readonly ListSettings[]
  readonly hideAbsent: boolean
}

export function configuredRules({ settings, source }: FoundApi): readonly PlacedRule[] {
  return Object.entries(settings.objects ?? {}).map(([type, rule]) => ({
    type,
    rule,
    source: { ...source, base: [...source.base, 'objects', type] },
  }))
}

/** What the file beside a contract holds. */
export interface Beside {
  readonly rules: readonly PlacedRule[]
  /** Null where there is no such file. */
  readonly fields: PlacedFields | null
}

/** Classes of fields, and where they are stated. */
export interface PlacedFields {
  readonly stated: FieldsBeside
  readonly source: Source
}

const NOTHING_BESIDE: Beside = { rules: [], fields: null }

/** `shop.openapi.yaml` has its rules in `shop.openapi.sallyport.yaml`. */
export function besideContract(contract: string): string {
  return `${contract.replace(/\.(?:ya?ml|json)$/i, '')}.sallyport.yaml`
}

/**
 * The rules of the file beside the contract, or of the one `overlay` names; none where there is no such file. It is
 * watched even so, that it is seen when it comes.
 */
export function readBeside(
  { settings, source }: FoundApi,
  contract: string,
  main: Source,
  findings: Findings,
): Beside {
  const named = settings.overlay
  const file = named === undefined ? besideContract(contract) : beside(source.file, named)
  findings.touchedFile(file)
  const read = readTextFile(file, MAX_BESIDE_BYTES)
  const at: Segments = named === undefined ? ['contract'] : ['overlay']
  if (!read.ok) {
    if (named !== undefined || !read.missing)
      findings.problem(source, at, `the file of object rules ${shown(file, 512)} ${read.why}`, '')
    return NOTHING_BESIDE
  }
  if (
    source.file !== main.file &&
    ![main.file, source.file].some((beneath) => liesBelow(read.realpath, dirname(beneath)))
  ) {
    const message = `the file of object rules ${shown(file, 512)} lies outside the folders of the configuration and of the API’s file`
    findings.problem(source, at, message, 'Put it beside the API’s file.')
    return NOTHING_BESIDE
  }
  const document = readDocument(file, read.text)
  if (!document.ok) {
    findings.add(document.problems)
    return NOTHING_BESIDE
  }
  const own: Source = { file, text: read.text, base: [] }
  const value = document.value ?? {}
  const parsed = besideFile.safeParse(value)
  if (!parsed.success) {
    for (const { segments, at: where, message, hint } of schemaFindings(parsed.error, besideFile, value))
      findings.problem(own, segments, message, hint, where)
    return NOTHING_BESIDE
  }
  const rules = Object.entries(parsed.data.objects).map(([type, rule]) => ({
    type,
    rule,
    source: { ...own, base: ['objects', type] },
  }))
  return { rules, fields: { stated: parsed.data.fields, source: { ...own, base: ['fields'] } } }
}

/** What no single rule can say: rules of one type or path, and whose subjects an owner field names. */
export function checkRules(
  rules: readonly PlacedRule[],
  accept: readonly string[],
  findings: Findings,
): void {
  const types = new Map<string, PlacedRule>()
  const paths = new Map<string, PlacedRule>()
  for (const placed of rules) {
    const { type, rule, source } = placed
    const sameType = types.get(type)
    if (sameType !== undefined) {
      const message = `the object type "${type}" is ruled in ${where(sameType)} already`
      findings.problem(source, [], message, 'Keep one of the two.', 'key')
      continue
    }
    types.set(type, placed)
    // Parameter names do not tell paths apart (OpenAPI 3.1 §4.8.8).
    const shape = rule.path.replace(/\{[^}]*\}/g, '{}')
    const other = paths.get(shape)
    if (other !== undefined) {
      const elsewhere = other.source.file === source.file ? '' : ` in ${where(other)}`
      const message = `path is ruled by "${other.type}"${elsewhere} already`
      findings.problem(source, ['path'], message, 'One object type per path.')
    }
    paths.set(shape, other ?? placed)
    checkRule(placed, accept, findings)
  }
}

function checkRule({ rule, source }: PlacedRule, accept: readonly string[], findings: Findings): void {
  if (rule.owner === undefined && rule.tenant === undefined) {
    findings.problem(source, [], 'the rule states neither owner nor tenant', 'Add owner: /field.', 'key')
    return
  }
  if (rule.issuer === undefined && accept.length > 1) {
    const twice =
      rule.owner === undefined
        ? 'tenants of two issuers that are called alike are two tenants'
        : 'the same sub of two issuers is two people'
    findings.problem(
      source,
      [],
      `the rule needs issuer: the API accepts several, and ${twice}`,
      `Add issuer: with one of ${accept.join(', ')}.`,
      'key',
    )
  } else if (rule.issuer !== undefined && !accept.includes(rule.issuer)) {
    findings.problem(
      source,
      ['issuer'],
      'issuer is not one the API accepts',
      `Accepted: ${accept.join(', ') || 'none'}.`,
    )
  }
}

function where({ source }: PlacedRule): string {
  return shown(source.base.length === 0 ? source.file : `${source.file} (${source.base.join('.')})`, 512)
}

/** Every default decided, the places of owner and tenant told apart. */
export function toObjectRule(type: string, rule: RuleSettings, accept: readonly string[]): ObjectRule {
  const owner = placesOf(rule.owner)
  const tenant = placesOf(rule.tenant)
  const issuer = rule.issuer ?? (accept.length === 1 ? accept[0] : undefined)
  const lists = rule.list === undefined ? [] : [rule.list].flat()
  return {
    type,
    path: rule.path,
    ...(owner.pointer === undefined ? {} : { owner: owner.pointer }),
    ...(tenant.pointer === undefined ? {} : { tenant: tenant.pointer }),
    ...(owner.request === undefined ? {} : { requestOwner: owner.request }),
    ...(tenant.request === undefined ? {} : { requestTenant: tenant.request }),
    ...(rule.equals === 'subject' ? {} : { ownerClaim: rule.equals.claim }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(rule.lookup === undefined ? {} : { lookup: rule.lookup }),
    ...(lists.length === 0 ? {} : { lists }),
    hideAbsent: rule.hideAbsent,
  }
}

function placesOf(statement: RuleSettings['owner']): {
  readonly pointer: readonly string[] | undefined
  readonly request: RequestPlace | undefined
} {
  const places = statement === undefined ? [] : Array.isArray(statement) ? statement : [statement]
  let pointer: readonly string[] | undefined
  let request: RequestPlace | undefined
  for (const place of places) {
    if (typeof place === 'string') pointer = parsePointer(place)
    else if (place.path !== undefined) request = { in: 'path', name: place.path }
    else if (place.query !== undefined) request = { in: 'query', name: place.query }
    else if (place.body !== undefined) request = { in: 'body', pointer: parsePointer(place.body) }
  }
  return { pointer, request }
}

/** Claims that rules compare with, by issuer: what identity has to read of its tokens. */
export function claimsOf(rules: Iterable<ObjectRule>): ReadonlyMap<string, ReadonlySet<string>> {
  const claims = new Map<string, Set<string>>()
  for (const { issuer, ownerClaim } of rules) {
    if (issuer === undefined || ownerClaim === undefined) continue
    const known = claims.get(issuer)
    if (known === undefined) claims.set(issuer, new Set([ownerClaim]))
    else known.add(ownerClaim)
  }
  return claims
}
