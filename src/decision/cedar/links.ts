import type { PolicyLink } from '../../model/policy-link.ts'
import { nearest } from '../../syntax/nearest.ts'
import { parseEntityLiteral } from './entity-literal.ts'
import type { EntityName, Policy } from './est.ts'
import type { ParsedPolicy, PolicyFault } from './fault.ts'
import { isEnough, placeText } from './fault.ts'
import type { Slot } from './template.ts'
import { filled, SLOTS, slotsOf } from './template.ts'

/** A link with the template it fills, and the policy they make. */
export interface LinkedPolicy {
  readonly id: string
  readonly template: ParsedPolicy
  readonly link: PolicyLink
  readonly entities: Readonly<Partial<Record<Slot, EntityName>>>
  readonly policy: Policy
}

export interface Linking {
  readonly links: readonly PolicyLink[]
  readonly parsed: readonly ParsedPolicy[]
  readonly isUsableId: (id: string) => boolean
  /** Characters of policy text the links may come to, each counted as its template's. */
  readonly room: number
}

/** Fills templates as the links say. Where links are left out there are faults. */
export function linkTemplates(
  { links, parsed, isUsableId, room }: Linking,
  faults: PolicyFault[],
): readonly LinkedPolicy[] {
  const templates = new Map(parsed.filter(({ template }) => template).map((each) => [each.id, each]))
  const taken = new Map(parsed.map((policy) => [policy.id, `policy at ${placeText(policy)}`]))
  const ordinary = new Set(parsed.flatMap(({ id, template }) => (template ? [] : [id])))
  const linked: LinkedPolicy[] = []
  let left = room
  for (const link of links) {
    if (isEnough(faults)) return linked
    const template = templates.get(link.template)
    const earlier = taken.get(link.id)
    if (!isUsableId(link.id)) {
      faults.push(linkFault(link, 'id', 'link_id holds 1 to 200 printable characters'))
    } else if (earlier !== undefined) {
      faults.push(linkFault(link, 'id', `the id ${link.id} is taken by the ${earlier}`))
    } else taken.set(link.id, `link at ${link.file}:${link.at.link.line}`)
    if (template === undefined) {
      faults.push(linkFault(link, 'template', unknownTemplate(link.template, templates, ordinary)))
      continue
    }
    left -= template.span.end - template.span.start
    if (left < 0) {
      const why = 'policies and links are too large altogether: a link counts as much as its template'
      faults.push(linkFault(link, 'link', `${why}; link a Group in place of each of its members`))
      return linked
    }
    const entities = entitiesOf(link, template, faults)
    if (entities === null) continue
    const { annotations } = template.policy
    // Its text, where people read it, bears the name that records call it by.
    const policy = { ...filled(template.policy, entities), annotations: { ...annotations, id: link.id } }
    linked.push({ id: link.id, template, link, entities, policy })
  }
  return linked
}

/** Null where the arguments are not the template's. */
function entitiesOf(
  link: PolicyLink,
  template: ParsedPolicy,
  faults: PolicyFault[],
): LinkedPolicy['entities'] | null {
  const wanted = slotsOf(template.policy)
  const entities: Partial<Record<Slot, EntityName>> = {}
  let ok = true
  const refuse = (part: Slot, message: string): void => {
    ok = false
    faults.push(linkFault(link, part, message))
  }
  for (const slot of SLOTS) {
    const text = link.args[slot]
    if (text === undefined) {
      if (wanted.includes(slot))
        refuse(slot, `args leaves ${slot} of the template ${template.id} open: name an entity for it`)
      continue
    }
    if (!wanted.includes(slot)) {
      refuse(slot, `the template ${template.id} has no ${slot}: take it out of args`)
      continue
    }
    const entity = parseEntityLiteral(text)
    if (entity === null) refuse(slot, `${slot} is no entity: write it as in Cedar, User::"corp/ana"`)
    else entities[slot] = entity
  }
  return ok ? entities : null
}

function unknownTemplate(
  name: string,
  templates: ReadonlyMap<string, ParsedPolicy>,
  ordinary: ReadonlySet<string>,
): string {
  const shown = JSON.stringify(name.slice(0, 200))
  if (ordinary.has(name))
    return `the policy ${shown} is no template: it has neither ?principal nor ?resource in its scope`
  const close = nearest(name, [...templates.keys()])
  const hint =
    templates.size === 0 ? '; no policy has ?principal or ?resource in its scope' : nearestHint(close)
  return `there is no template ${shown}${hint}`
}

function nearestHint(close: string | null): string {
  return close === null ? '' : `; the nearest is ${JSON.stringify(close)}`
}

export function linkFault(
  link: PolicyLink,
  part: 'link' | 'template' | 'id' | Slot,
  message: string,
): PolicyFault {
  const { link: whole, template, id, args } = link.at
  const { line, column } = { link: whole, template, id, ...args }[part] ?? whole
  return { file: link.file, line, column, message, policy: link.id }
}

/** `file:line:column` of a link. */
export function linkPlace({ file, at }: PolicyLink): string {
  return `${file}:${at.link.line}:${at.link.column}`
}
