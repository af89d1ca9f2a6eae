import type { OperationDefinitionNode } from 'graphql/language'
import type { GraphQLInputType, GraphQLSchema } from 'graphql/type'
import type { Finding } from '../../model/fact.ts'
import { escapePointer } from '../../syntax/json-pointer.ts'
import { isRawNumber } from '../exact-json.ts'
import { contractFinding, shortPointer } from '../findings.ts'
import { isRecord, type JsonRecord } from '../json-value.ts'
import type { GraphqlLimits } from './detail.ts'
import { limit } from './form.ts'
import { graphql } from './library.ts'

type ValueLimits = Pick<GraphqlLimits, 'inputDepth' | 'stringLength' | 'listLength'>

class VariableFault extends Error {
  readonly finding: Finding

  constructor(finding: Finding) {
    super('a variable does not fit')
    this.finding = finding
  }
}

/**
 * Holds variables against the types their operation declares (GraphQL October 2021 §6.1.2): no undeclared variable, no
 * unknown input field, no number beyond its type. The first fault, or null; it names places and rules, never values.
 */
export function checkVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  given: JsonRecord,
  limits: ValueLimits,
): Finding | null {
  const declared = operation.variableDefinitions ?? []
  const names = new Set(declared.map(({ variable }) => variable.name.value))
  try {
    for (const name of Object.keys(given))
      if (!names.has(name)) throw fault(`/${escapePointer(name)}`, 'undeclared')
    for (const { variable, type: written, defaultValue } of declared) {
      const name = variable.name.value
      const type = graphql().typeFromAST(schema, written)
      if (type === undefined || !graphql().isInputType(type)) throw fault(`/${name}`, 'type')
      if (!Object.hasOwn(given, name)) {
        if (graphql().isNonNullType(type) && defaultValue === undefined) throw fault(`/${name}`, 'required')
        continue
      }
      check(type, given[name], `/${name}`, 0, limits)
    }
    return null
  } catch (error) {
    if (error instanceof VariableFault) return error.finding
    throw error
  }
}

function fault(pointer: string, rule: string): VariableFault {
  const at = shortPointer(`/variables${pointer}`)
  return new VariableFault(
    contractFinding('graphql-variables-invalid', { pointer: at, rule }, `${at}: ${rule}`),
  )
}

function check(type: GraphQLInputType, value: unknown, at: string, depth: number, limits: ValueLimits): void {
  const { isNonNullType, isListType, isInputObjectType, isEnumType } = graphql()
  if (depth > limits.inputDepth) throw new VariableFault(limit('inputDepth', depth, limits.inputDepth))
  if (isNonNullType(type)) {
    if (value === null) throw fault(at, 'non-null')
    check(type.ofType, value, at, depth, limits)
  } else if (value === null) return
  else if (isListType(type)) {
    // §3.11: a value that is no list stands for a list of it alone.
    if (!Array.isArray(value)) return check(type.ofType, value, at, depth + 1, limits)
    if (value.length > limits.listLength)
      throw new VariableFault(limit('listLength', value.length, limits.listLength))
    for (const [index, item] of value.entries()) check(type.ofType, item, `${at}/${index}`, depth + 1, limits)
  } else if (isInputObjectType(type)) {
    if (!isRecord(value) || isRawNumber(value)) throw fault(at, 'object')
    const fields = type.getFields()
    const given = Object.keys(value)
    for (const name of given)
      if (!Object.hasOwn(fields, name)) throw fault(`${at}/${escapePointer(name)}`, 'undeclared')
    if (type.isOneOf && (given.length !== 1 || value[given[0] ?? ''] === null)) throw fault(at, 'one-of')
    for (const field of Object.values(fields)) {
      const below = `${at}/${field.name}`
      if (Object.hasOwn(value, field.name)) check(field.type, value[field.name], below, depth + 1, limits)
      else if (graphql().isRequiredInputField(field)) throw fault(below, 'required')
    }
  } else if (isEnumType(type)) {
    if (typeof value !== 'string' || type.getValue(value) == null) throw fault(at, 'enum')
  } else scalar(type.name, value, at, depth, limits)
}

const MAX_INT = 2_147_483_647

/** §3.5: the built-in scalars; of others any JSON within the limits. A number whose digits a double loses is no Int. */
function scalar(name: string, value: unknown, at: string, depth: number, limits: ValueLimits): void {
  const raw = typeof value === 'object' && value !== null && isRawNumber(value)
  switch (name) {
    case 'Int':
      if (!Number.isInteger(value) || Math.abs(Number(value)) > MAX_INT + (Number(value) < 0 ? 1 : 0))
        throw fault(at, 'Int')
      return
    case 'Float':
      if (!raw && !Number.isFinite(value)) throw fault(at, 'Float')
      return
    case 'Boolean':
      if (typeof value !== 'boolean') throw fault(at, 'Boolean')
      return
    case 'String':
      if (typeof value !== 'string') throw fault(at, 'String')
      break
    case 'ID':
      if (typeof value !== 'string' && !Number.isSafeInteger(value)) throw fault(at, 'ID')
      break
  }
  bounded(value, depth, limits)
}

function bounded(value: unknown, depth: number, limits: ValueLimits): void {
  if (depth > limits.inputDepth) throw new VariableFault(limit('inputDepth', depth, limits.inputDepth))
  if (typeof value === 'string') {
    if (value.length > limits.stringLength)
      throw new VariableFault(limit('stringLength', value.length, limits.stringLength))
  } else if (Array.isArray(value)) {
    if (value.length > limits.listLength)
      throw new VariableFault(limit('listLength', value.length, limits.listLength))
    for (const item of value) bounded(item, depth + 1, limits)
  } else if (isRecord(value) && !isRawNumber(value)) {
    for (const member of Object.values(value)) bounded(member, depth + 1, limits)
  }
}
