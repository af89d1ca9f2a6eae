import type { OpenApiDocument } from '../contract/document.ts'
import { isRecord } from '../contract/json-value.ts'
import { splitPlace } from '../contract/place.ts'
import { resolveReference } from '../contract/reference.ts'
import { parsePointer } from '../syntax/json-pointer.ts'
import { below } from './overlay.ts'

/** Who else is described by a part of a contract. */
export interface Reach {
  /** Paths with methods, `POST /orders`, in document order. */
  readonly operations: readonly string[]
  readonly requests: boolean
  readonly answers: boolean
}

interface User {
  /** The part it stands in; for operations `POST /orders`. */
  readonly container: string
  readonly side: 'request' | 'answer' | ''
  readonly operation: boolean
}

/** Which operations lead to which parts of the contract; its references are read once, at first use. */
export class SharedParts {
  readonly #document: OpenApiDocument
  #users: Map<string, User[]> | null = null

  constructor(document: OpenApiDocument) {
    this.#document = document
  }

  /** Of what stands at a place: an operation's own part is its alone. */
  reach(place: string): Reach {
    const users = this.#read()
    const own = userAt(place)
    const operations = new Set<string>(own.operation ? [own.container] : [])
    const sides = new Set<string>([own.side])
    const seen = new Set<string>()
    const pending = own.operation ? [] : [own.container]
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (seen.has(at)) continue
      seen.add(at)
      for (const user of users.get(at) ?? []) {
        sides.add(user.side)
        if (user.operation) operations.add(user.container)
        else pending.push(user.container)
      }
    }
    return { operations: [...operations], requests: sides.has('request'), answers: sides.has('answer') }
  }

  #read(): Map<string, User[]> {
    if (this.#users !== null) return this.#users
    const users = new Map<string, User[]>()
    this.#users = users
    const parts = new Set<string>()
    const visit = (value: unknown, place: string): void => {
      if (Array.isArray(value)) {
        value.forEach((each, index) => {
          visit(each, below(place, String(index)))
        })
      } else if (isRecord(value)) {
        if (typeof value['$ref'] === 'string') this.#note(users, value['$ref'], place, parts, visit)
        for (const [name, member] of Object.entries(value)) visit(member, below(place, name))
      }
    }
    visit(this.#document.root, '')
    return users
  }

  #note(
    users: Map<string, User[]>,
    ref: string,
    place: string,
    parts: Set<string>,
    visit: (value: unknown, place: string) => void,
  ): void {
    let target: string
    try {
      target = resolveReference(this.#document, ref, place).pointer
    } catch {
      return
    }
    const { container } = userAt(target)
    const known = users.get(container)
    const user = userAt(place)
    if (known === undefined) users.set(container, [user])
    else if (!known.some((each) => each.container === user.container && each.side === user.side))
      known.push(user)
    const { part } = splitPlace(target)
    if (part === '' || parts.has(part)) return
    parts.add(part)
    visit(this.#document.parts.rootOf(part), `${part}#`)
  }
}

const SIDES: Readonly<Record<string, User['side']>> = {
  requestBody: 'request',
  parameters: 'request',
  requestBodies: 'request',
  responses: 'answer',
  headers: 'answer',
}

/** What of the contract a place belongs to: an operation, a component, or a file. */
function userAt(place: string): User {
  const { part, pointer } = splitPlace(place)
  const [root = '', group = '', name = '', side = ''] = parsePointer(pointer)
  if (part !== '') return { container: `${part}#`, side: '', operation: false }
  if (root === 'components')
    return { container: `/components/${group}/${name}`, side: SIDES[group] ?? '', operation: false }
  if (root !== 'paths' || name === '') return { container: `/${root}/${group}`, side: '', operation: false }
  if (name === 'parameters') return { container: group, side: 'request', operation: true }
  return { container: `${name.toUpperCase()} ${group}`, side: SIDES[side] ?? '', operation: true }
}
