import equal from 'ajv/dist/runtime/equal.js'
import ucs2length from 'ajv/dist/runtime/ucs2length.js'
import { unwrap } from './commonjs.ts'
import type { Shape } from './detail.ts'
import { FORMATS } from './formats.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import { unique } from './unique.ts'

/** A generated check: true, or false with what it found in `errors`. */
export interface Check {
  (value: unknown): boolean
  errors?: readonly CheckError[] | null
}

export interface CheckError {
  readonly instancePath: string
  readonly keyword: string
  readonly params?: Readonly<Record<string, unknown>>
}

export interface ModuleExports {
  checks?: Readonly<Record<string, Check>>
  shapes?: Readonly<Record<string, Shape>>
  link?: (checks: Readonly<Record<string, Check>>) => void
}

const MODULES: Readonly<Record<string, unknown>> = {
  'ajv/dist/runtime/ucs2length': { default: unwrap(ucs2length) },
  'ajv/dist/runtime/equal': { default: unwrap(equal) },
}

/** All that generated code may reach besides the language: no module loader, no process, no network. */
const RUNTIME = Object.freeze({
  require: (name: string): unknown => {
    const module = Object.hasOwn(MODULES, name) ? MODULES[name] : undefined
    if (module === undefined) throw new Error(`a generated module asks for ${name}`)
    return module
  },
  unique,
  pattern: (text: string): Pattern => {
    const pattern = compilePattern(text)
    if (pattern === null) throw new Error('a generated module holds a pattern that cannot be compiled')
    return pattern
  },
  formats: Object.freeze(Object.fromEntries(FORMATS)),
})

/** Runs the source of one module, which control generated and whose bytes the bundle's hash covers. */
export function runModule(source: string): ModuleExports {
  const exports: ModuleExports = {}
  const run: unknown = new Function('rt', 'exports', source)
  if (typeof run === 'function') run(RUNTIME, exports)
  return exports
}
