import equal from 'ajv/dist/runtime/equal.js'
import ucs2length from 'ajv/dist/runtime/ucs2length.js'
import { SallyportError } from '../model/errors.ts'
import { unwrap } from './commonjs.ts'
import type { Shape } from './detail.ts'
import { FORMATS } from './formats.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import { unique } from './unique.ts'

/** A generated function: true, or false with what it found in `errors`. */
export interface GeneratedFunction {
  (value: unknown): boolean
  errors?: readonly CheckError[] | null
}

export interface CheckError {
  readonly instancePath: string
  readonly keyword: string
  readonly params?: Readonly<Record<string, unknown>>
}

export interface ModuleExports {
  checks?: Readonly<Record<string, GeneratedFunction>>
  shapes?: Readonly<Record<string, Shape>>
  link?: (checks: Readonly<Record<string, GeneratedFunction>>) => void
}

/**
 * Calls that generated functions may still make. Two branches that both lead back to their own schema are tried anew
 * at each level, so a few hundred nested bytes could ask for 2^64 of them.
 */
const fuel = { left: 0 }
const BASE_FUEL = 100_000
const FUEL_PER_BYTE = 16
const MAX_FUEL_BYTES = 1_048_576

const SPENT = new Error('a check took more steps than its value is worth')
const TOO_COMPLEX: readonly CheckError[] = Object.freeze([{ instancePath: '', keyword: 'complexity' }])
const FAILED: readonly CheckError[] = Object.freeze([{ instancePath: '', keyword: 'failure' }])

/** One schema's check as the rooms use it. */
export class Check {
  readonly #run: GeneratedFunction

  constructor(run: GeneratedFunction) {
    this.#run = run
  }

  /** Null where the value fits, else why not; `bytes` is what the value took. Never throws: what fails does not fit. */
  faults(value: unknown, bytes: number): readonly CheckError[] | null {
    fuel.left = BASE_FUEL + FUEL_PER_BYTE * Math.min(bytes, MAX_FUEL_BYTES)
    try {
      if (this.#run(value)) return null
      const { errors } = this.#run
      this.#run.errors = null
      return errors ?? FAILED
    } catch (error) {
      return error === SPENT ? TOO_COMPLEX : FAILED
    }
  }
}

const MODULES: Readonly<Record<string, unknown>> = {
  'ajv/dist/runtime/ucs2length': { default: unwrap(ucs2length) },
  'ajv/dist/runtime/equal': { default: unwrap(equal) },
}

/**
 * What generated code is given besides the language. No sandbox: it is this program's own code, made of a contract
 * whose texts enter it as JSON literals only; what keeps others from changing it is the bundle's hash.
 */
const RUNTIME = Object.freeze({
  require: (name: string): unknown => {
    const module = Object.hasOwn(MODULES, name) ? MODULES[name] : undefined
    if (module === undefined) {
      throw new SallyportError('bundle-corrupt', `a generated module asks for ${name.slice(0, 60)}`)
    }
    return module
  },
  unique,
  fuel,
  spent: (): never => {
    throw SPENT
  },
  pattern: (text: string): Pattern => {
    const pattern = compilePattern(text)
    if (pattern === null)
      throw new SallyportError('bundle-corrupt', 'a pattern of the bundle cannot be compiled')
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
