import type { SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'

/**
 * Cedar's JSON lets a value leave out its escape where the schema says what it is: `{"type": "User", "id": "alice"}`
 * for an entity, `"10.0.0.1"` for an `ipaddr`. This puts the escapes back, so that values can be read without a schema.
 */

type Members = Readonly<Record<string, unknown>>

const CONSTRUCTORS: Readonly<Record<string, string>> = {
  ipaddr: 'ip',
  decimal: 'decimal',
  datetime: 'datetime',
  duration: 'duration',
}

function members(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}
}

export class ExplicitValues {
  readonly #schema: Members

  /** @param schema With resolved types. */
  constructor(schema: SchemaJson<string>) {
    this.#schema = schema
  }

  attributes(entityType: string, attrs: Members): Members {
    return members(this.#explicit(attrs, this.#entity(entityType)['shape'], namespaceOf(entityType)))
  }

  tags(entityType: string, tags: Members): Members {
    const type = this.#entity(entityType)['tags']
    const entries = Object.entries(tags)
    return Object.fromEntries(
      entries.map(([name, value]) => [name, this.#explicit(value, type, namespaceOf(entityType))]),
    )
  }

  context(actionType: string, action: string, context: unknown): unknown {
    const namespace = namespaceOf(actionType)
    const definition = members(members(members(this.#schema[namespace])['actions'])[action])
    return this.#explicit(context, members(definition['appliesTo'])['context'], namespace)
  }

  #entity(type: string): Members {
    const namespace = namespaceOf(type)
    const name = namespace === '' ? type : type.slice(namespace.length + 2)
    return members(members(members(this.#schema[namespace])['entityTypes'])[name])
  }

  #explicit(value: unknown, type: unknown, namespace: string): unknown {
    const { type: kind, name, element, attributes } = members(type)
    switch (kind) {
      case 'Entity':
        return 'type' in members(value) ? { __entity: value } : value
      case 'Extension':
        return explicitExtension(value, CONSTRUCTORS[String(name)])
      case 'Set':
        return Array.isArray(value) ? value.map((each) => this.#explicit(each, element, namespace)) : value
      case 'Record': {
        const types = members(attributes)
        const entries = Object.entries(members(value))
        return Object.fromEntries(
          entries.map(([key, each]) => [key, this.#explicit(each, types[key], namespace)]),
        )
      }
      default: {
        const common = this.#common(String(kind === 'EntityOrCommon' ? name : kind), namespace)
        return common === undefined ? value : this.#explicit(value, common, namespace)
      }
    }
  }

  #common(name: string, namespace: string): unknown {
    const own = members(members(this.#schema[namespace])['commonTypes'])[name]
    if (own !== undefined) return own
    const elsewhere = namespaceOf(name)
    const short = elsewhere === '' ? name : name.slice(elsewhere.length + 2)
    return members(members(this.#schema[elsewhere])['commonTypes'])[short]
  }
}

function namespaceOf(type: string): string {
  const at = type.lastIndexOf('::')
  return at === -1 ? '' : type.slice(0, at)
}

function explicitExtension(value: unknown, fn: string | undefined): unknown {
  if (typeof value === 'string') return { __extn: { fn, arg: value } }
  return 'fn' in members(value) ? { __extn: value } : value
}
