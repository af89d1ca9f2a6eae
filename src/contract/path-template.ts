/** The template with its parameters' names left out: they do not tell paths apart (OpenAPI 3.1 §4.8.8). */
export const templateForm = (template: string): string => template.replace(/\{[^{}]*\}/g, '{}')

/** Names of its parameters, in order. */
export const parameterNames = (template: string): readonly string[] =>
  [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name)
