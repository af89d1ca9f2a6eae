import type { ConstDirectiveNode, DocumentNode } from 'graphql/language'
import type { GraphQLSchema } from 'graphql/type'
import { SallyportError } from '../../model/errors.ts'
import { type Origin, readClasses } from '../sensitivity/classes.ts'
import { classOfName } from '../sensitivity/field-words.ts'
import type { Place } from '../sensitivity/label-compiler.ts'
import { graphql } from './library.ts'
import { invalid } from './schema.ts'

/**
 * Sensitivity classes of a schema's fields, arguments, input fields and scalars, by schema coordinate: `User.email`,
 * `Query.user(ssn:)`, `NewUser.phone`, `EmailAddress`. The configuration comes before `@sallyport(class:)` of the schema,
 * and that before what the name tells.
 */
export interface FieldClasses {
  readonly request: readonly Place[]
  readonly answer: readonly Place[]
}

export interface StatedFields {
  /** By type or field, as the configuration states it; an empty list takes back what the name tells. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  /** Names tell classes too. */
  readonly names: boolean
}

/** @throws {SallyportError} `contract-invalid` for a directive's class; `config-invalid` for what the schema has not. */
export function fieldClasses(
  schema: GraphQLSchema,
  document: DocumentNode,
  { fields, names }: StatedFields,
  file: string,
): FieldClasses {
  const { isObjectType, isInterfaceType, isInputObjectType, isIntrospectionType, isLeafType } = graphql()
  const { isSpecifiedScalarType } = graphql()
  const directives = directiveClasses(document, file)
  const request: Place[] = []
  const answer: Place[] = []
  const unmet = new Set(Object.keys(fields))
  const label = (at: string, name: string, tells: Origin, into: readonly Place[][]): void => {
    unmet.delete(at)
    const stated = Object.hasOwn(fields, at) ? fields[at] : directives.get(at)
    const told = stated === undefined && names ? classOfName(name) : null
    const found: Place[] = (stated ?? []).map((each) => ({ at, class: each, origin: 'annotation' }))
    if (told !== null) found.push({ at, class: told.class, origin: tells })
    for (const places of into) places.push(...found)
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || isSpecifiedScalarType(type)) continue
    const both = isLeafType(type)
    const own = both ? [request, answer] : isInputObjectType(type) ? [request] : [answer]
    // Of an object type's name nothing is told: `Address` says no more than its fields do.
    label(type.name, both ? type.name : '', 'format', own)
    if (isInputObjectType(type))
      for (const { name } of Object.values(type.getFields()))
        label(`${type.name}.${name}`, name, 'name', [request])
    if (!isObjectType(type) && !isInterfaceType(type)) continue
    for (const { name, args } of Object.values(type.getFields())) {
      label(`${type.name}.${name}`, name, 'name', [answer])
      for (const each of args) label(`${type.name}.${name}(${each.name}:)`, each.name, 'name', [request])
    }
  }
  const [unknown] = unmet
  if (unknown !== undefined)
    throw new SallyportError('config-invalid', `the schema has no type or field "${unknown}"`, {
      classified: unknown,
    })
  return { request, answer }
}

export function classNames(places: readonly Place[]): readonly string[] {
  return [...new Set(places.map((place) => place.class))].sort()
}

interface Described {
  readonly name: { readonly value: string }
  readonly directives?: readonly ConstDirectiveNode[] | undefined
  readonly arguments?: readonly Described[] | undefined
  readonly fields?: readonly Described[] | undefined
}

function directiveClasses(document: DocumentNode, file: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  const take = ({ directives }: Described, at: string): void => {
    const stated = directives?.find(({ name }) => name.value === 'sallyport')?.arguments ?? []
    const value = stated.find(({ name }) => name.value === 'class')?.value
    if (value === undefined) return
    const listed = value.kind === 'ListValue' ? value.values : [value]
    const classes = readClasses(listed.map((each) => (each.kind === 'StringValue' ? each.value : '')))
    if (typeof classes === 'string') throw invalid(file, `@sallyport of ${at}: ${classes}`)
    found.set(at, [...new Set([...(found.get(at) ?? []), ...classes])].sort())
  }
  for (const each of document.definitions) {
    if (!/Type(?:Definition|Extension)$/.test(each.kind)) continue
    const definition = each as unknown as Described
    const type = definition.name.value
    take(definition, type)
    for (const field of definition.fields ?? []) {
      take(field, `${type}.${field.name.value}`)
      for (const argument of field.arguments ?? [])
        take(argument, `${type}.${field.name.value}(${argument.name.value}:)`)
    }
  }
  return found
}
