import { escapePointer } from '../syntax/json-pointer.ts'
import { isJson, type MediaType, parseMediaType } from '../syntax/media-type.ts'
import { isReadable } from './answer-media.ts'
import type { ContractWarning, ItemFraming } from './detail.ts'
import type { OpenApiDocument } from './document.ts'
import { type HeaderPlans, headerPlans } from './header-plans.ts'
import { isRecord, type JsonRecord, own, recordAt } from './json-value.ts'
import { type MediaPlan, mediaPlan, unreadBy } from './media/plan.ts'
import type { ParameterPlan } from './parameters/plan.ts'
import { follow } from './reference.ts'
import type { Schema, SchemaConverter } from './schema.ts'
import { sequencePlan } from './sequence-plan.ts'

export interface ContentPlan {
  readonly range: string
  /** Null for content that is let through unread. */
  readonly schema: Schema | null
  readonly pointer: string
  /** How content that is not JSON becomes a value of the schema. */
  readonly media?: MediaPlan
  /** Of a sequence: the schema is of one item. */
  readonly items?: ItemFraming
}

/** Request body and answers of one operation. */
export interface MessagePlan {
  readonly body: { readonly required: boolean; readonly content: readonly ContentPlan[] } | null
  readonly answers: Readonly<Record<string, readonly ContentPlan[]>>
  /** Fields that answers declare, by the same statuses. */
  readonly headers: HeaderPlans
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
  const headers: Record<string, readonly ParameterPlan[]> = {}
  for (const [status, member] of Object.entries(recordAt(operation.value, 'responses'))) {
    if (status.startsWith('x-')) continue
    const answer = follow(context.document, member, `${operation.pointer}/responses/${escapePointer(status)}`)
    const name = status.toLowerCase() === 'default' ? 'default' : status.toUpperCase()
    if (STATUS.test(name)) {
      answers[name] = contentPlans(context, answer, 'answer')
      headers[name] = headerPlans(context, answer)
    } else {
      const message = `${status.slice(0, 20)} is neither a status, a range like 2XX, nor default: it is not read`
      context.warn({ code: 'schema-keyword', pointer: answer.pointer, message })
    }
  }
  const stated = own(operation.value, 'requestBody')
  if (stated === undefined) return { body: null, answers, headers }
  const body = follow(context.document, stated, `${operation.pointer}/requestBody`)
  return {
    body: { required: body.value['required'] === true, content: contentPlans(context, body, 'request') },
    answers,
    headers,
  }
}

function contentPlans(
  context: Context,
  holder: { readonly value: JsonRecord; readonly pointer: string },
  direction: 'request' | 'answer',
): readonly ContentPlan[] {
  const plans: ContentPlan[] = []
  for (const [range, stated] of Object.entries(recordAt(holder.value, 'content'))) {
    const at = `${holder.pointer}/content/${escapePointer(range)}`
    const media = parseMediaType(range)
    if (media === null || !isRecord(stated)) {
      const message = 'not a media type: it is not read'
      context.warn({ code: 'media-type-unchecked', pointer: at, message })
      continue
    }
    // OpenAPI 3.2 §4.7: under `components.mediaTypes`, or in another file.
    const { value: member, pointer } = follow(context.document, stated, at)
    const sequence = sequencePlan(context.document, media, member, pointer)
    if (sequence !== null) {
      const { framing: items, schema, pointer: at } = sequence
      plans.push({ range, schema: context.converter.convert(schema, at), pointer: at, items })
      continue
    }
    // A range that takes anything takes JSON too, and JSON is checked.
    const json = isJson(media) || media.subtype === '*'
    const schema = own(member, 'schema')
    if (direction === 'request') {
      plans.push(requestPlan(context, range, media, member, pointer))
      continue
    }
    const read = json ? null : answerPlan(context, range, media, member, pointer)
    if (read !== null) {
      plans.push(read)
      continue
    }
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

/** Content of an answer that is not JSON; null where it passes as it comes. */
function answerPlan(
  context: Context,
  range: string,
  media: MediaType,
  member: JsonRecord,
  pointer: string,
): ContentPlan | null {
  const stated = own(member, 'schema')
  if (stated === undefined || media.type === '*') return null
  const schema = context.converter.convert(stated, `${pointer}/schema`)
  const plan = mediaPlan(context, media, member, schema, pointer)
  return plan === null || !isReadable(plan, member) ? null : { range, schema, pointer, media: plan }
}

/** Request content is read whatever its media type, as far as its schema says something that can be held. */
function requestPlan(
  context: Context,
  range: string,
  media: MediaType,
  member: JsonRecord,
  pointer: string,
): ContentPlan {
  const stated = own(member, 'schema')
  const schema = stated === undefined ? true : context.converter.convert(stated, `${pointer}/schema`)
  const plan = mediaPlan(context, media, member, schema, pointer)
  const message = unreadBy(plan, media)
  if (message !== null) context.warn({ code: 'media-type-unchecked', pointer, message })
  return { range, schema, pointer, ...(plan === null ? {} : { media: plan }) }
}
