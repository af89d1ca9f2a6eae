/**
 * The default export of a CommonJS module with an ES module's shape. Node gives the module object; vitest and bundlers
 * give what is inside.
 */
export function unwrap<T extends object>(module: { readonly default: T }): T {
  return 'default' in module ? module.default : module
}
