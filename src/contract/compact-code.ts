/**
 * Ajv's source without what nothing here reads: of errors the schema's path and all parameters but the name of what is
 * missing, the parent and root that every call is given, and blocks with nothing in them. A gate thread parses about a
 * fifth less at a reload, and a call from one check to another makes a smaller object.
 */
const TEXT = '"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"'

/** Texts come last: what stands in one is no code. */
const UNREAD = new RegExp(
  [
    `schemaPath:${TEXT},`,
    `,parentData(?::\\w+)?,parentDataProperty(?::(?:\\w+|${TEXT}))?,rootData(?=[,}])`,
    `(keyword:(?!"required")${TEXT}),params:\\{(?:[^{}"]|${TEXT})*\\}`,
    "(['`]|\\b(?:parentData|parentDataProperty|rootData)\\b)",
    TEXT,
  ].join('|'),
  'g',
)
const EMPTY = new RegExp(
  [
    '(?<!else )if\\((?:errors === \\w+|valid\\d+|typeof \\w+ == "number")\\)\\{\\}(?! ?else)',
    'else \\{\\}',
    TEXT,
  ].join('|'),
  'g',
)
const COUNT = new RegExp(`const (_errs\\d+) = errors;|${TEXT}`, 'g')
const PARAMETERS = ', parentData, parentDataProperty, rootData=data'
/** Of one check: longer texts than the engine has a stack for stand in none that is shorter. */
const MAX_COMPACTED = 1_048_576
/** What is empty only once what was in it is gone. */
const PASSES = 3

/** Null where it says something that is not known here, and has to stay as it is. */
export function compactCode(code: string): string | null {
  let isKnown = true
  const head = code.indexOf(PARAMETERS)
  if (head < 0 || code.length > MAX_COMPACTED) return null
  let compact = (code.slice(0, head) + code.slice(head + PARAMETERS.length)).replace(
    UNREAD,
    (found, keyword: string | undefined, other: string | undefined) => {
      if (other !== undefined) isKnown = false
      if (keyword !== undefined) return keyword
      return found.startsWith('"') ? found : ''
    },
  )
  if (!isKnown) return null
  for (let pass = 0; pass < PASSES; pass++) {
    const before = compact.length
    compact = compact.replace(EMPTY, (found) => (found.startsWith('"') ? found : ''))
    if (compact.length === before) break
  }
  return withoutUnread(compact)
}

/** Counts of errors that no comparison asks for. */
function withoutUnread(code: string): string {
  const uses = new Map<string, number>()
  for (const [name] of code.matchAll(/\b_errs\d+\b/g)) uses.set(name, (uses.get(name) ?? 0) + 1)
  return code.replace(COUNT, (found, name: string | undefined) =>
    name !== undefined && uses.get(name) === 1 ? '' : found,
  )
}
