import { errorLeak } from '../error-leak.ts'
import { isRecord } from '../json-value.ts'

/** An error of an answer (GraphQL October 2021 §7.1.2), without what it should not tell. */

const MAX_ERRORS = 100
const GENERIC = 'The upstream answered with an error.'
const MAX_MESSAGE = 1_000
const MEMBERS: ReadonlySet<string> = new Set(['message', 'locations', 'path', 'extensions'])

/**
 * The errors with messages that suggest no names of the schema, and of their extensions only those that are released.
 * What tells of the upstream's inside (error-leak.ts) goes out neither way.
 * `note`: told of each member that is left out or made another, by its place; `leaks`: of the rule that one met.
 */
export function safeErrors(
  errors: unknown,
  released: ReadonlySet<string>,
  note: (place: string) => void,
  leaks: (rule: string) => void,
): unknown {
  const isLeak = (value: unknown): boolean => {
    const rule = errorLeak(value)
    if (rule !== null) leaks(rule)
    return rule !== null
  }
  if (!Array.isArray(errors)) {
    note('/errors')
    return []
  }
  if (errors.length > MAX_ERRORS) note('/errors')
  return errors.slice(0, MAX_ERRORS).map((error: unknown) => {
    if (!isRecord(error)) {
      note('/errors/*')
      return { message: GENERIC }
    }
    const safe: Record<string, unknown> = { message: safeMessage(error['message'], note, isLeak) }
    for (const [name, value] of Object.entries(error)) {
      if (!MEMBERS.has(name)) note(`/errors/*/${name.slice(0, 64)}`)
      else if (name === 'locations' || name === 'path') {
        if (isLeak(value)) note(`/errors/*/${name}`)
        else safe[name] = value
      } else if (name === 'extensions') {
        const left = (member: string): void => note(`/errors/*/extensions/${member.slice(0, 64)}`)
        const kept = Object.entries(keptMembers(value, released, left) ?? {}).filter(([member, held]) => {
          const leak = isLeak(held)
          if (leak) left(member)
          return !leak
        })
        if (kept.length > 0) safe['extensions'] = Object.fromEntries(kept)
      }
    }
    return safe
  })
}

/** The members of a map that are released; null where none is. */
export function keptMembers(
  value: unknown,
  released: ReadonlySet<string>,
  note: (member: string) => void,
): Readonly<Record<string, unknown>> | null {
  if (!isRecord(value)) return null
  const kept = Object.entries(value).filter(([name]) => {
    if (released.has(name)) return true
    note(name)
    return false
  })
  return kept.length === 0 ? null : Object.fromEntries(kept)
}

/** Servers of graphql-js and its kin end messages so: `Did you mean "userId"?` */
function safeMessage(
  message: unknown,
  note: (place: string) => void,
  isLeak: (text: string) => boolean,
): string {
  if (typeof message !== 'string') return GENERIC
  if (isLeak(message)) {
    note('/errors/*/message')
    return GENERIC
  }
  const at = message.search(/\s*Did you mean\b/i)
  if (at < 0 && message.length <= MAX_MESSAGE) return message
  note('/errors/*/message')
  return message.slice(0, at < 0 ? MAX_MESSAGE : Math.min(at, MAX_MESSAGE)).toWellFormed()
}
