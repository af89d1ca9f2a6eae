import { registerHooks } from 'node:module'

/**
 * Loaded ahead of the program (`--import`) in the row `full-v1 without evaluator`: the program is the product's own,
 * but for the one module that evaluates policies. Nothing in the product knows of it.
 */
const EVALUATOR = new URL('../src/decision/cedar/evaluate.ts', import.meta.url).href
const STAND_IN = new URL('./owner-engine.ts', import.meta.url).href

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context)
    return resolved.url === EVALUATOR ? { ...resolved, url: STAND_IN } : resolved
  },
})
