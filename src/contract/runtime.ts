import equal from 'ajv/dist/runtime/equal.js'
import ucs2length from 'ajv/dist/runtime/ucs2length.js'
import { SallyportError } from '../model/errors.ts'
import { unwrap } from './commonjs.ts'
import type { Shape } from './detail.ts'
import { branchOf } from './discriminator.ts'
import { EXACT_CHECKS, exact } from './exact-checks.ts'
import { FORMATS } from './formats.ts'
import { fuel, grantFuel, SPENT, spent } from './fuel.ts'
import { compilePattern, grantSteps, type Pattern } from './pattern.ts'
import { PatternSpent } from './pattern-match.ts'
import type { LabelNode } from './sensitivity/label-node.ts'
import { takeFound, type UrlGuard, urlWatch, watchUrl } from './urls/url-guard.ts'

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
  labels?: Readonly<Record<string, LabelNode>>
  link?: (checks: Readonly<Record<string, GeneratedFunction>>) => void
}

const TOO_COMPLEX: readonly CheckError[] = Object.freeze([{ instancePath: '', keyword: 'complexity' }])
const PATTERN_BUDGET: readonly CheckError[] = Object.freeze([{ instancePath: '', keyword: 'pattern-budget' }])
const FAILED: readonly CheckError[] = Object.freeze([{ instancePath: '', keyword: 'failure' }])

/** One schema's check as the rooms use it. */
export class Check {
  readonly #run: GeneratedFunction
  readonly #urls: UrlGuard | null

  /** `urls`: what of a request's URLs is allowed; null: they are not looked at. */
  constructor(run: GeneratedFunction, urls: UrlGuard | null = null) {
    this.#run = run
    this.#urls = urls
  }

  /**
   * Null where the value fits, else why not; `bytes` is what the value took, `digits` the same value of
   * `parseExact` where a double does not hold every number. Never throws: what fails does not fit.
   */
  faults(value: unknown, bytes: number, digits?: unknown): readonly CheckError[] | null {
    exact.root = digits
    grantSteps(bytes)
    grantFuel(bytes)
    urlWatch.guard = this.#urls
    try {
      if (this.#run(value)) return this.#urls === null ? null : takeFound()
      const { errors } = this.#run
      this.#run.errors = null
      return errors ?? FAILED
    } catch (error) {
      if (error instanceof PatternSpent) return PATTERN_BUDGET
      return error === SPENT ? TOO_COMPLEX : FAILED
    } finally {
      exact.root = undefined
      urlWatch.guard = null
      if (urlWatch.found.length > 0) urlWatch.found = []
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
  ...EXACT_CHECKS,
  branch: branchOf,
  urls: urlWatch,
  url: watchUrl,
  fuel,
  spent,
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
