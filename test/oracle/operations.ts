import type { OperationSource, ParameterSource } from '../../src/assurance/generate/call.ts'
import type { RawSchema } from '../../src/assurance/generate/schema-view.ts'
import { at } from './upgrade.ts'

type Json = Record<string, unknown>
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'patch']
const STYLES = { path: 'simple', header: 'simple', query: 'form', cookie: 'form' } as const
const IGNORED = new Set(['accept', 'content-type', 'authorization'])
const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** The operations of a document, as a program that calls them reads it; those with parameters of a content are left out. */
export function operationsOf(document: Json): readonly OperationSource[] {
  const found: OperationSource[] = []
  for (const [template, item] of Object.entries(isRecord(document['paths']) ? document['paths'] : {})) {
    if (!isRecord(item) || typeof item['$ref'] === 'string' || /[?#]/.test(template)) continue
    for (const method of METHODS) {
      const operation = item[method]
      if (!isRecord(operation)) continue
      const base = `/paths/${escaped(template)}`
      const parameters = new Map<string, ParameterSource | null>()
      for (const [list, pointer] of [
        [item['parameters'], `${base}/parameters`],
        [operation['parameters'], `${base}/${method}/parameters`],
      ] as const) {
        for (const [index, each] of (Array.isArray(list) ? list : []).entries()) {
          const read = parameterOf(document, each, `${pointer}/${index}`)
          if (read !== null) parameters.set(`${read.in} ${read.name}`, read.source)
        }
      }
      const named = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => `path ${name}`)
      const all = [...parameters.values()].filter((each) => each !== null)
      if (all.length < parameters.size || named.some((name) => !parameters.has(name))) continue
      const body = bodyOf(document, operation['requestBody'], `${base}/${method}/requestBody`)
      if (body === undefined) continue
      const used = all.filter((each) => each.in !== 'path' || named.includes(`path ${each.name}`))
      found.push({ method: method.toUpperCase(), template, parameters: used, body })
    }
  }
  return found
}

function parameterOf(
  document: Json,
  value: unknown,
  pointer: string,
): { in: string; name: string; source: ParameterSource | null } | null {
  const [stated, place] = followed(document, value, pointer)
  if (stated === null) return null
  const { name, schema } = stated
  const where = stated['in']
  if (
    typeof name !== 'string' ||
    (where !== 'path' && where !== 'query' && where !== 'header' && where !== 'cookie')
  )
    return null
  if (where === 'header' && IGNORED.has(name.toLowerCase())) return null
  const style = typeof stated['style'] === 'string' ? stated['style'] : STYLES[where]
  const explode = typeof stated['explode'] === 'boolean' ? stated['explode'] : style === 'form'
  const source: ParameterSource | null =
    schema === undefined
      ? null
      : {
          name,
          in: where,
          style,
          explode,
          required: where === 'path' || stated['required'] === true,
          schema: schema as RawSchema,
          pointer: `${place}/schema`,
        }
  return { in: where, name, source }
}

/** Undefined: of a kind that is not JSON. */
function bodyOf(document: Json, value: unknown, pointer: string): OperationSource['body'] | undefined {
  if (value === undefined) return null
  const [stated, place] = followed(document, value, pointer)
  const content = stated === null ? undefined : stated['content']
  if (!isRecord(content)) return undefined
  for (const [type, media] of Object.entries(content)) {
    if (!/^application\/(?:[\w.+-]+\+)?json(?:;|$)/.test(type) || !isRecord(media)) continue
    const { schema } = media
    if (schema === undefined) continue
    const where = `${place}/content/${escaped(type)}/schema`
    return { type, required: stated?.['required'] === true, schema: schema as RawSchema, pointer: where }
  }
  return undefined
}

function followed(document: Json, value: unknown, pointer: string): readonly [Json | null, string] {
  for (let hop = 0; hop < 20 && isRecord(value); hop++) {
    const ref = value['$ref']
    if (typeof ref !== 'string') return [value, pointer]
    pointer = ref.slice(1)
    value = at(document, ref)
  }
  return [null, pointer]
}
