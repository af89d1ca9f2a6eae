import type { SecurityAlternative, SecurityPlan } from '../model/operation.ts'
import type { ContractWarning } from './detail.ts'
import type { OpenApiDocument } from './document.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt, textAt } from './json-value.ts'
import { follow } from './reference.ts'

export interface SecuritySchemes {
  readonly kinds: ReadonlyMap<string, 'bearer' | 'unsupported'>
  /** OpenAPI 3.2 §4.30: a requirement may name a scheme by reference, in the contract or a file beside it. */
  kindAt(name: string, pointer: string): 'bearer' | 'unsupported' | undefined
  /** Query parameters that carry API keys: declared by the scheme, not by the operations. */
  readonly queryNames: readonly string[]
}

/** Reads `components.securitySchemes`; schemes the gate cannot check are named. */
export function readSchemes(
  document: OpenApiDocument,
  warn: (warning: ContractWarning) => void,
): SecuritySchemes {
  const kinds = new Map<string, 'bearer' | 'unsupported'>()
  const queryNames: string[] = []
  const stated = recordAt(recordAt(document.root, 'components'), 'securitySchemes')
  for (const [name, member] of Object.entries(stated)) {
    const { value, pointer } = follow(document, member, `/components/securitySchemes/${name}`)
    const kind = schemeKind(value)
    kinds.set(name, kind)
    if (kind === 'bearer') continue
    const type = textAt(value, 'type') ?? 'without a type'
    const message = `security scheme ${name} (${type}) cannot be checked: its operations refuse every call unless the API has credential: pass`
    warn({ code: 'security-unsupported', pointer, message })
    const parameter = textAt(value, 'name')
    if (type === 'apiKey' && value['in'] === 'query' && parameter !== undefined) queryNames.push(parameter)
  }
  const kindAt: SecuritySchemes['kindAt'] = (name, pointer) => {
    const known = kinds.get(name)
    if (known !== undefined || document.release !== '3.2' || !/[#/.]/.test(name)) return known
    return schemeKind(follow(document, { $ref: name }, pointer).value)
  }
  return { kinds, kindAt, queryNames }
}

function schemeKind(scheme: JsonRecord): 'bearer' | 'unsupported' {
  const type = scheme['type']
  if (type === 'oauth2' || type === 'openIdConnect') return 'bearer'
  const bearer = type === 'http' && textAt(scheme, 'scheme')?.toLowerCase() === 'bearer'
  return bearer ? 'bearer' : 'unsupported'
}

/** Who needs a token when the contract does not say: everyone. */
const REQUIRED: SecurityPlan = {
  need: 'required',
  alternatives: [{ schemes: [{ name: 'default', kind: 'bearer', scopes: [] }] }],
}

/** OpenAPI 3.1 §4.8.10 and §4.8.30: the operation's list, else the root's; a list is OR, an object AND, `{}` none. */
export function securityPlan(
  root: JsonRecord,
  operation: JsonRecord,
  pointer: string,
  schemes: SecuritySchemes,
  warn: (warning: ContractWarning) => void,
): SecurityPlan {
  const holder = own(operation, 'security') === undefined ? root : operation
  if (own(holder, 'security') === undefined) return REQUIRED
  const place = holder === root ? '/security' : `${pointer}/security`
  const requirements = listAt(holder, 'security').filter(isRecord)
  if (!Array.isArray(holder['security']) || requirements.length < holder['security'].length) {
    warn({
      code: 'security-undefined',
      pointer: place,
      message: 'security is not a list of objects: a token is required',
    })
    return REQUIRED
  }
  if (requirements.length === 0) return { need: 'anonymous', alternatives: [] }
  const alternatives: SecurityAlternative[] = []
  let optional = false
  for (const requirement of requirements) {
    const names = Object.keys(requirement)
    if (names.length === 0) optional = true
    else alternatives.push({ schemes: names.map((name) => scheme(name, requirement, place, schemes, warn)) })
  }
  return { need: optional ? 'optional' : 'required', alternatives }
}

function scheme(
  name: string,
  requirement: JsonRecord,
  pointer: string,
  schemes: SecuritySchemes,
  warn: (warning: ContractWarning) => void,
): SecurityAlternative['schemes'][number] {
  const kind = schemes.kindAt(name, pointer)
  if (kind === undefined) {
    warn({
      code: 'security-undefined',
      pointer,
      message: `no security scheme is named ${name}: it refuses every call`,
    })
  }
  const scopes = listAt(requirement, name).filter((scope) => typeof scope === 'string')
  return { name, kind: kind ?? 'unsupported', scopes }
}
