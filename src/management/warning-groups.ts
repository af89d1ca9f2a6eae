/** A warning as every command and log prints it. */
interface Warning {
  /** `file:line:column`, or `contract.yaml#/json/pointer`. */
  readonly place: string
  readonly message: string
}

/** Of one kind in one file: what a person reads before looking at the first of them. */
const SHOWN = 3

/**
 * One line a warning, but of a contract's warnings of one kind the first three only and how many more there are: a
 * contract of 6,000 operations can have as many of each. The order is that of each kind's first.
 */
export function warningLines(warnings: readonly Warning[]): readonly string[] {
  const groups = new Map<string, Warning[]>()
  for (const warning of warnings) {
    const kind = kindOf(warning)
    const key = kind === null ? `${groups.size}` : `${kind.file}#${kind.code}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [warning])
    else group.push(warning)
  }
  return [...groups.values()].flatMap((group) => {
    const lines = group
      .slice(0, SHOWN)
      .map(({ place, message }) => `${place === '' ? '' : `${place}: `}${message}`)
    const [first] = group
    const kind = first === undefined ? null : kindOf(first)
    const more = group.length - SHOWN
    return kind === null || more <= 0
      ? lines
      : [...lines, `${kind.file}: ${kind.code}: ${more} more like these`]
  })
}

function kindOf({ place, message }: Warning): { readonly file: string; readonly code: string } | null {
  const hash = place.indexOf('#/')
  const code = /^([a-z-]+): /.exec(message)?.[1]
  return hash < 0 || code === undefined ? null : { file: place.slice(0, hash), code }
}
