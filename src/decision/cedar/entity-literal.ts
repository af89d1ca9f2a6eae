import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import type { EntityName } from './est.ts'
import { entityOf } from './est.ts'

/** A type's name in parts, and the id as a string literal with its escapes; nothing before, between or behind. */
const LITERAL = /^([A-Za-z_]\w*(?:::[A-Za-z_]\w*)*)::"((?:[^"\\\p{Cc}\p{Cs}]|\\[^\p{Cc}\p{Cs}])*)"$/u

/** The entity that `User::"corp/ana"` names; null where the text is anything else (Cedar grammar, `Entity`). */
export function parseEntityLiteral(text: string): EntityName | null {
  const found = LITERAL.exec(text)
  if (found === null) return null
  const [, type = '', id = ''] = found
  if (!id.includes('\\')) return { type, id }
  // What an escape stands for is Cedar's to say. The form is known by now, so nothing else can slip in with it.
  const answer = cedar.policyToJson(`permit(principal == ${text}, action, resource);`)
  return answer.type === 'success' && 'entity' in answer.json.principal
    ? entityOf(answer.json.principal.entity)
    : null
}
