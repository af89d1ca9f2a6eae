import { faultAt, invalid } from './fault.ts'
import type { JsonRecord } from './json-value.ts'

/** The release a contract is written in, without its patch number, which changes no rule (OpenAPI 3.2 §4.1). */
export type Release = '2.0' | '3.0' | '3.1' | '3.2'

const KNOWN = 'use 2.0, 3.0, 3.1 or 3.2'

/** @throws {SallyportError} `contract-invalid` for every other: guessing at rules would check by the wrong ones. */
export function readRelease(root: JsonRecord, text: string, file: string): Release {
  const { openapi, swagger } = root
  if (openapi !== undefined && swagger !== undefined) {
    throw faultAt({ text, file }, '/swagger', 'the contract states both swagger and openapi: keep one')
  }
  if (typeof openapi === 'string') {
    const minor = /^(3\.[012])\.\d{1,9}(?:-.+)?$/.exec(openapi)?.[1]
    if (minor === '3.0' || minor === '3.1' || minor === '3.2') return minor
    throw faultAt({ text, file }, '/openapi', `OpenAPI ${openapi.slice(0, 40)} is not supported: ${KNOWN}`)
  }
  if (openapi !== undefined) {
    throw faultAt({ text, file }, '/openapi', 'the version is not text: put it in quotes, as in "3.1.0"')
  }
  if (swagger === '2.0') return '2.0'
  if (swagger !== undefined) {
    const shown =
      typeof swagger === 'string' ? swagger.slice(0, 40) : 'that is not text (write "2.0" in quotes)'
    throw faultAt({ text, file }, '/swagger', `Swagger ${shown} is not supported: ${KNOWN}`)
  }
  throw invalid(
    file,
    'does not say which OpenAPI version it is written in (openapi: 3.1.0, or swagger: "2.0")',
  )
}
