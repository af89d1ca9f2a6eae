import { escapePointer } from '../syntax/json-pointer.ts'
import { isJson, parseMediaType } from '../syntax/media-type.ts'
import type { ContractWarning } from './detail.ts'
import type { OpenApiDocument } from './document.ts'
import { isRecord, type JsonRecord, own, recordAt } from './json-value.ts'
import { follow } from './reference.ts'
import type { Schema, SchemaConverter } from './schema.ts'

export interface ContentPlan {
  readonly range: string
  /** Null for media types that are not JSON: their content is let through unread. */
  readonly schema: Schema | null
  readonly pointer: string
}

/** Request body and answers of one operation. */
export interface MessagePlan {
  readonly body: { readonly required: boolean; readonly content: readonly ContentPlan[] } | null
  readonly answers: Readonly<Record<string, readonly ContentPlan[]>>
}

interface Context {
  readonly document: OpenApiDocument
  readonly converter: SchemaConverter
  readonly warn: (warning: ContractWarning) => void
}

const STATUS = /^(?:[1-5][0-9]{2}|[1-5]XX|default)$/

export function messagePlan(
  context: Context,
  operation: { readonly value: JsonRecord; readonly pointer: string },
): MessagePlan {
  const answers: Record<string, readonly ContentPlan[]> = {}
  for (const [status, member] of Object.entries(recordAt(operation.value, 'responses'))) {
    if (status.startsWith('x-')) continue
    const answer = follow(context.document, member, `${operation.pointer}/responses/${escapePointer(status)}`)
    const name = status.toLowerCase() === 'default' ? 'default' : status.toUpperCase()
    if (STATUS.test(name)) answers[name] = contentPlans(context, answer)
    else {
      const message = `${status.slice(0, 20)} is neither a status, a range like 2XX, nor default: it is not read`
      context.warn({ code: 'schema-keyword', pointer: answer.pointer, message })
    }
  }
  const stated = own(operation.value, 'requestBody')
  if (stated === undefined) return { body: null, answers }
  const body = follow(context.document, stated, `${operation.pointer}/requestBody`)
  return {
    body: { required: body.value['required'] === true, content: contentPlans(context, body) },
    answers,
  }
}

function contentPlans(
  context: Context,
  holder: { readonly value: JsonRecord; readonly pointer: string },
): readonly ContentPlan[] {
  const plans: ContentPlan[] = []
  for (const [range, member] of Object.entries(recordAt(holder.value, 'content'))) {
    const pointer = `${holder.pointer}/content/${escapePointer(range)}`
    const media = parseMediaType(range)
    if (media === null || !isRecord(member)) {
      context.warn({ code: 'media-type-unchecked', pointer, message: 'not a media type: it is not read' })
      continue
    }
    // A range that takes anything takes JSON too, and JSON is checked.
    const json = isJson(media) || media.subtype === '*'
    const schema = own(member, 'schema')
    if (!json) {
      const message = `content of ${media.essence} is let through without a check`
      context.warn({ code: 'media-type-unchecked', pointer, message })
    }
    plans.push({
      range,
      schema: !json
        ? null
        : schema === undefined
          ? true
          : context.converter.convert(schema, `${pointer}/schema`),
      pointer,
    })
  }
  return plans
}
