/**
 * Values of parameters as texts on the wire (OpenAPI 3.1 §4.8.12.5, RFC 6570): written by the specification's table
 * alone, so that what reads them is held against another hand than its own.
 */
export interface ParameterStyle {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly style: string
  readonly explode: boolean
}

type Scalar = string | number | boolean

/** Query: `a=b&c=d`; path: what stands for the parameter's braces; null where the style writes no such value. */
export function serialized(parameter: ParameterStyle, value: unknown): string | null {
  // No field has a name that is not a token (RFC 9110 §5.6.2); published contracts declare such.
  if (parameter.in === 'header' && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(parameter.name)) return null
  if (isScalar(value)) return scalar(parameter, value)
  if (Array.isArray(value)) return value.every(isScalar) ? list(parameter, value) : null
  if (typeof value !== 'object' || value === null) return null
  const members = Object.entries(value)
  if (!members.every((member): member is [string, Scalar] => isScalar(member[1]))) return null
  return object(parameter, members)
}

const isScalar = (value: unknown): value is Scalar =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  (typeof value === 'number' && Math.abs(value) < 1e15)

/** Header values are not percent-encoded (RFC 9110 §5.5); what cannot stand in one is not written. */
function written({ in: place }: ParameterStyle, value: Scalar): string {
  const text = String(value)
  if (place === 'header') return text
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function scalar(parameter: ParameterStyle, value: Scalar): string {
  const text = written(parameter, value)
  if (parameter.in === 'query' || parameter.in === 'cookie') return `${parameter.name}=${text}`
  if (parameter.style === 'label') return `.${text}`
  if (parameter.style === 'matrix') return `;${parameter.name}=${text}`
  return text
}

function list(parameter: ParameterStyle, items: readonly Scalar[]): string | null {
  if (items.length === 0) return null
  const { name, style, explode } = parameter
  const texts = items.map((item) => written(parameter, item))
  if (parameter.in === 'query' || parameter.in === 'cookie') {
    if (explode && style === 'form') return texts.map((text) => `${name}=${text}`).join('&')
    if (explode) return null
    const between = style === 'spaceDelimited' ? '%20' : style === 'pipeDelimited' ? '%7C' : ','
    return style === 'deepObject' ? null : `${name}=${texts.join(between)}`
  }
  if (texts.some((text) => text === '' || (parameter.in === 'header' && text.includes(',')))) return null
  if (style === 'label') return `.${texts.join(explode ? '.' : ',')}`
  if (style === 'matrix')
    return explode ? texts.map((text) => `;${name}=${text}`).join('') : `;${name}=${texts.join()}`
  return texts.join()
}

function object(parameter: ParameterStyle, members: readonly [string, Scalar][]): string | null {
  if (members.length === 0) return null
  const { name, style, explode } = parameter
  const pairs = members.map(([key, value]) => [written(parameter, key), written(parameter, value)] as const)
  const joined = (between: string, separator: string): string =>
    pairs.map(([key, value]) => `${key}${between}${value}`).join(separator)
  if (parameter.in === 'query' || parameter.in === 'cookie') {
    if (style === 'deepObject') return pairs.map(([key, value]) => `${name}[${key}]=${value}`).join('&')
    if (style !== 'form') return null
    return explode ? joined('=', '&') : `${name}=${joined(',', ',')}`
  }
  if (
    pairs.some(
      ([key, value]) => key === '' || value === '' || (parameter.in === 'header' && /[,=]/.test(key + value)),
    )
  )
    return null
  if (style === 'label') return explode ? `.${joined('=', '.')}` : `.${joined(',', ',')}`
  if (style === 'matrix') return explode ? `;${joined('=', ';')}` : `;${name}=${joined(',', ',')}`
  return explode ? joined('=', ',') : joined(',', ',')
}
