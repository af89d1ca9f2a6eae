import type { RawSchema } from '../../src/assurance/generate/schema-view.ts'
import { at } from './upgrade.ts'

/** One JSON body of a contract: of a request, or of an answer of one status. */
export interface Message {
  readonly operation: string
  readonly direction: 'request' | 'answer'
  readonly status: number
  readonly type: string
  readonly schema: RawSchema
  /** JSON pointer to the schema, every reference on the way resolved. */
  readonly pointer: string
}

type Json = Record<string, unknown>
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']
const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

export function messagesOf(document: Json, api: string): readonly Message[] {
  const messages: Message[] = []
  const follow = (value: unknown, pointer: string): { value: Json; pointer: string } | null => {
    for (let hop = 0; hop < 20; hop++) {
      if (!isRecord(value)) return null
      const ref = value['$ref']
      if (typeof ref !== 'string') return { value, pointer }
      pointer = ref.slice(1)
      value = at(document, ref)
    }
    return null
  }
  for (const [template, member] of Object.entries(isRecord(document['paths']) ? document['paths'] : {})) {
    const item = follow(member, `/paths/${escaped(template)}`)
    if (item === null) continue
    for (const method of METHODS) {
      const operation = item.value[method]
      if (!isRecord(operation)) continue
      const pointer = `${item.pointer}/${method}`
      const key = `${api}.${typeof operation['operationId'] === 'string' ? operation['operationId'] : `${method.toUpperCase()} ${template}`}`
      const add = (holder: unknown, where: string, direction: Message['direction'], status: number): void => {
        const found = follow(holder, where)
        if (found === null || !isRecord(found.value['content'])) return
        for (const [type, content] of Object.entries(found.value['content'])) {
          if (!/^application\/(?:[\w.+-]+\+)?json(?:;|$)/.test(type) || !isRecord(content)) continue
          const { schema } = content
          if (schema === undefined) continue
          const place = `${found.pointer}/content/${escaped(type)}/schema`
          messages.push({
            operation: key,
            direction,
            status,
            type,
            schema: schema as RawSchema,
            pointer: place,
          })
        }
      }
      add(operation['requestBody'], `${pointer}/requestBody`, 'request', 0)
      for (const [status, answer] of Object.entries(
        isRecord(operation['responses']) ? operation['responses'] : {},
      )) {
        const code = Number(status.replace(/X/gi, '0'))
        if (method !== 'head' && code >= 200 && code < 600 && code !== 204 && code !== 304)
          add(answer, `${pointer}/responses/${escaped(status)}`, 'answer', code)
      }
    }
  }
  return messages
}
