import { isScalar, type ParseOptions, parseDocument, visit } from 'yaml'
import { buildJson } from '../syntax/json-build.ts'
import { exactNumber } from './exact-json.ts'

/** Digits that a double may not hold: contracts without any, which nearly all are, are read the fast way. */
const LONG_NUMBER = /[:[,\s]-?(?:\d[\d.]{15,}|\d[\d.]*[eE][-+]?\d)/
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/

/** A contract in JSON with the digits of its numbers, or null where doubles hold them all. */
export function exactTree(text: string): unknown {
  return LONG_NUMBER.test(text) ? buildJson(text, exactNumber) : null
}

/** The same for YAML. */
export function exactYaml(text: string, options: ParseOptions & { readonly maxAliasCount: number }): unknown {
  if (!LONG_NUMBER.test(text)) return null
  const document = parseDocument(text, options)
  const [error] = document.errors
  if (error !== undefined) throw error
  visit(document, {
    Scalar: (_key, node) => {
      const { source, value } = node as { source?: string; value: unknown }
      if (!isScalar(node) || typeof value !== 'number' || source === undefined) return
      if (JSON_NUMBER.test(source)) node.value = exactNumber(source)
    },
  })
  return document.toJS({ maxAliasCount: options.maxAliasCount })
}
