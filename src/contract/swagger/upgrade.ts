import { escapePointer } from '../../syntax/json-pointer.ts'
import type { ContractWarning } from '../detail.ts'
import type { OpenApiDocument } from '../document.ts'
import { faultAt, originOf } from '../fault.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt, textAt } from '../json-value.ts'
import { pathItem } from '../path-item.ts'
import { follow } from '../reference.ts'
import {
  FORM,
  formSchema,
  listSchema,
  MULTIPART,
  plainParameter,
  type SwaggerParameter,
} from './parameters.ts'
import { SwaggerSchemas } from './schemas.ts'
import { securitySchemes, servers } from './surroundings.ts'

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const
/** What OpenAPI 3 says in other members: everything else of an operation is kept as it stands. */
const REPLACED = new Set(['parameters', 'responses', 'consumes', 'produces', 'schemes'])

/**
 * A Swagger 2.0 contract as the OpenAPI 3.0 contract that says the same. Places of faults and warnings stay those of
 * the user's file.
 * @throws {SallyportError} `contract-invalid` where a reference leads nowhere.
 */
export function upgradeSwagger(raw: OpenApiDocument): OpenApiDocument {
  return new Upgrade(raw).document()
}

class Upgrade {
  readonly #raw: OpenApiDocument
  readonly #origins = new Map<string, string>()
  readonly #warnings: ContractWarning[] = []
  readonly #schemas: SwaggerSchemas

  constructor(raw: OpenApiDocument) {
    this.#raw = raw
    this.#schemas = new SwaggerSchemas(raw, this.#origins)
  }

  document(): OpenApiDocument {
    const { root } = this.#raw
    const paths = own(root, 'paths')
    const upgraded = isRecord(paths)
      ? Object.fromEntries(
          Object.entries(paths).map(([template, item]) => [
            template,
            template.startsWith('/') ? this.#item(template, item) : item,
          ]),
        )
      : paths
    this.#schemas.finish()
    for (const name of Object.keys(recordAt(root, 'securityDefinitions'))) {
      const at = escapePointer(name)
      this.#origins.set(`/components/securitySchemes/${at}`, `/securityDefinitions/${at}`)
    }
    for (const server of ['/servers', '/servers/0/url']) this.#origins.set(server, '/basePath')
    const kept = Object.entries(root).filter(
      ([name]) => name.startsWith('x-') || ['info', 'tags', 'security', 'externalDocs'].includes(name),
    )
    return {
      ...this.#raw,
      root: {
        ...Object.fromEntries(kept),
        openapi: '3.0.4',
        ...(upgraded === undefined ? {} : { paths: upgraded }),
        servers: servers(root),
        components: { schemas: this.#schemas.components, securitySchemes: securitySchemes(root) },
      },
      origins: this.#origins,
      warnings: this.#warnings,
    }
  }

  readonly #say = (code: ContractWarning['code'], place: string, message: string): void => {
    const { file, pointer } = originOf(this.#raw, place)
    this.#warnings.push({ code, pointer, message, ...(file === this.#raw.file ? {} : { file }) })
  }

  #item(template: string, member: unknown): JsonRecord {
    const to = `/paths/${escapePointer(template)}`
    const item = pathItem(this.#raw, member, to, (warning) =>
      this.#say(warning.code, warning.pointer, warning.message),
    )
    const out: [string, unknown][] = []
    for (const [name, { value, pointer }] of item) {
      if (METHODS.some((method) => method === name) && isRecord(value)) {
        this.#moved(`${to}/${name}`, pointer)
        out.push([name, this.#operation(value, pointer, `${to}/${name}`, item.get('parameters'))])
      } else if (name !== 'parameters') {
        this.#moved(`${to}/${escapePointer(name)}`, pointer)
        out.push([name, value])
      }
    }
    return Object.fromEntries(out)
  }

  #moved(to: string, from: string): void {
    if (to !== from) this.#origins.set(to, from)
  }

  #operation(
    value: JsonRecord,
    place: string,
    to: string,
    shared: { readonly value: unknown; readonly pointer: string } | undefined,
  ): JsonRecord {
    const all = new Map<string, SwaggerParameter>()
    const own_ = { value: own(value, 'parameters'), pointer: `${place}/parameters` }
    for (const list of [shared, own_]) {
      for (const parameter of this.#parameters(list?.value, list?.pointer ?? '')) {
        const where = String(parameter.value['in'])
        // §Operation Object: one body only, by whatever name.
        all.set(where === 'body' ? 'body' : `${where}:${String(parameter.value['name'])}`, parameter)
      }
    }
    const plain: JsonRecord[] = []
    const fields: SwaggerParameter[] = []
    let body: SwaggerParameter | undefined
    for (const parameter of all.values()) {
      const where = parameter.value['in']
      if (where === 'body') body = parameter
      else if (where === 'formData') fields.push(parameter)
      else {
        const at = `${to}/parameters/${plain.length}`
        this.#origins.set(at, parameter.place).set(`${at}/schema`, parameter.place)
        plain.push(plainParameter(parameter, this.#schemas, this.#say))
      }
    }
    const requestBody = this.#requestBody(value, place, to, body, fields)
    const kept = Object.entries(value).filter(([name]) => !REPLACED.has(name))
    return {
      ...Object.fromEntries(kept),
      ...(plain.length === 0 ? {} : { parameters: plain }),
      ...(requestBody === null ? {} : { requestBody }),
      responses: this.#responses(value, place, to),
    }
  }

  #parameters(stated: unknown, place: string): readonly SwaggerParameter[] {
    if (stated === undefined) return []
    if (!Array.isArray(stated)) throw faultAt(this.#raw, place, 'a list is expected here')
    return stated.map((member, index) => {
      const at = follow(this.#raw, member, `${place}/${index}`)
      return { value: at.value, place: at.pointer }
    })
  }

  #requestBody(
    operation: JsonRecord,
    place: string,
    to: string,
    body: SwaggerParameter | undefined,
    fields: readonly SwaggerParameter[],
  ): JsonRecord | null {
    const at = `${to}/requestBody`
    if (body !== undefined) {
      if (fields.length > 0) {
        const message = 'the operation has a body and form fields: the body holds, the fields are left out'
        this.#say('parameter-invalid', body.place, message)
      }
      const stated = own(body.value, 'schema')
      const schema = stated === undefined ? {} : this.#schemas.convert(stated, `${body.place}/schema`)
      const types = this.#types(operation, 'consumes', place)
      this.#origins.set(at, body.place)
      for (const type of types) this.#origins.set(`${at}/content/${escapePointer(type)}`, body.place)
      const content = Object.fromEntries(types.map((type) => [type, { schema }]))
      return { required: body.value['required'] === true, content }
    }
    if (fields.length === 0) return null
    const { schema, encoding, hasFile } = formSchema(fields, this.#schemas, this.#say)
    const stated = this.#stated(operation, 'consumes').filter((type) => {
      const essence = type.split(';', 1)[0]?.trim().toLowerCase()
      return essence === MULTIPART || (essence === FORM && !hasFile)
    })
    const types = stated.length > 0 ? stated : [hasFile ? MULTIPART : FORM]
    this.#origins.set(at, `${place}/parameters`)
    for (const type of types) {
      const content = `${at}/content/${escapePointer(type)}`
      this.#origins.set(content, `${place}/parameters`).set(`${content}/schema`, `${place}/parameters`)
      for (const field of fields) {
        const name = escapePointer(String(field.value['name']))
        this.#origins.set(`${content}/schema/properties/${name}`, field.place)
        this.#origins.set(`${content}/encoding/${name}`, field.place)
      }
    }
    const media = { schema, ...(Object.keys(encoding).length === 0 ? {} : { encoding }) }
    const required = fields.some(({ value }) => value['required'] === true)
    return { required, content: Object.fromEntries(types.map((type) => [type, media])) }
  }

  #responses(operation: JsonRecord, place: string, to: string): unknown {
    const stated = own(operation, 'responses')
    if (!isRecord(stated)) return stated ?? {}
    let types: readonly string[] | undefined
    return Object.fromEntries(
      Object.entries(stated).map(([status, member]) => {
        if (status.startsWith('x-')) return [status, member]
        const answer = follow(this.#raw, member, `${place}/responses/${escapePointer(status)}`)
        const at = `${to}/responses/${escapePointer(status)}`
        this.#moved(at, answer.pointer)
        const schema = own(answer.value, 'schema')
        const headers = Object.entries(recordAt(answer.value, 'headers')).map(([name, header]) => {
          const from = `${answer.pointer}/headers/${escapePointer(name)}`
          this.#origins.set(`${at}/headers/${escapePointer(name)}/schema`, from)
          const made = isRecord(header)
            ? listSchema({ value: header, place: from }, 'header', this.#schemas, this.#say).schema
            : {}
          return [name, { schema: made }] as const
        })
        const { description } = answer.value
        // §Response Object: without a schema nothing is answered as content.
        const plain = {
          description,
          ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
        }
        if (schema === undefined) return [status, plain]
        types ??= this.#types(operation, 'produces', place)
        const file = isRecord(schema) && schema['type'] === 'file'
        const content = types.map((type) => {
          this.#origins.set(`${at}/content/${escapePointer(type)}`, answer.pointer)
          return [
            type,
            { schema: file ? {} : this.#schemas.convert(schema, `${answer.pointer}/schema`) },
          ] as const
        })
        return [status, { ...plain, content: Object.fromEntries(content) }]
      }),
    )
  }

  /** The operation's list, else the contract's. */
  #stated(operation: JsonRecord, key: 'consumes' | 'produces'): readonly string[] {
    const holder = own(operation, key) === undefined ? this.#raw.root : operation
    return listAt(holder, key).filter((type) => typeof type === 'string')
  }

  #types(operation: JsonRecord, key: 'consumes' | 'produces', place: string): readonly string[] {
    const stated = this.#stated(operation, key)
    if (stated.length > 0) return stated
    const name = textAt(operation, 'operationId') ?? 'the operation'
    this.#say('media-type-assumed', place, `${name} states no ${key}: application/json is assumed`)
    return ['application/json']
  }
}
