/**
 * AuthZEN Authorization API 1.0: questions as plain values, read from JSON that is strict already. Members the
 * standard does not know are ignored (its rule for what is to come); those it knows have to be what it says.
 */

/** Subject or resource (§5.1, §5.2). */
export interface StatedEntity {
  readonly type: string
  readonly id: string
  readonly properties: Properties
}

/** §5.3. */
export interface StatedAction {
  readonly name: string
  readonly properties: Properties
}

export type Properties = Readonly<Record<string, unknown>>

/** One question: may this subject do this to that resource (§6.1). */
export interface Question {
  readonly subject: StatedEntity
  readonly action: StatedAction
  readonly resource: StatedEntity
  readonly context: Properties
}

export type Semantic = 'execute_all' | 'deny_on_first_deny' | 'permit_on_first_permit'

/** Several questions (§7.1); one that is not well-formed says where, the others stand. */
export interface Questions {
  readonly semantic: Semantic
  readonly questions: readonly Read<Question>[]
}

export type SearchTarget = 'subject' | 'resource' | 'action'

/** §8: of what is searched for, only the type counts (of an action nothing). */
export interface Search {
  readonly target: SearchTarget
  readonly subject: StatedEntity
  readonly action: StatedAction | null
  readonly resource: StatedEntity
  readonly context: Properties
  readonly page: Page | null
}

/** §8.2.1. */
export interface Page {
  readonly limit: number | null
  readonly token: string | null
}

/** `fault`: a JSON pointer and what has to stand there, never a value. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: string }

/** Types, names and ids beyond this are no names, in UTF-16 units. */
const MAX_NAME = 1_024
const MAX_TOKEN = 512

const NOTHING: Properties = Object.freeze({})
const NOBODY = { id: '', properties: NOTHING }

const SEMANTICS: ReadonlySet<unknown> = new Set<Semantic>([
  'execute_all',
  'deny_on_first_deny',
  'permit_on_first_permit',
])

export function readQuestion(body: unknown): Read<Question> {
  return attempt(() => questionIn(object(body, ''), ''))
}

/** Null where there is no list, or an empty one: the request is then one question (§7.1). */
export function readQuestions(body: unknown, max: number): Read<Questions> | null {
  const request = attempt(() => object(body, ''))
  if (!request.ok) return request
  const { evaluations } = request.value
  if (evaluations === undefined || (Array.isArray(evaluations) && evaluations.length === 0)) return null
  return attempt(() => questionsIn(request.value, evaluations, max))
}

export function readSearch(body: unknown, target: SearchTarget): Read<Search> {
  return attempt(() => {
    const request = object(body, '')
    return {
      target,
      subject: target === 'subject' ? typed(request, 'subject') : entity(request, 'subject', ''),
      action: target === 'action' ? null : action(request, ''),
      resource: target === 'resource' ? typed(request, 'resource') : entity(request, 'resource', ''),
      context: optional(request, 'context', ''),
      page: pageIn(request),
    }
  })
}

class Fault extends Error {}

function attempt<T>(read: () => T): Read<T> {
  try {
    return { ok: true, value: read() }
  } catch (error) {
    if (error instanceof Fault) return { ok: false, fault: error.message }
    throw error
  }
}

function questionIn(request: Properties, at: string): Question {
  return {
    subject: entity(request, 'subject', at),
    action: action(request, at),
    resource: entity(request, 'resource', at),
    context: optional(request, 'context', at),
  }
}

function questionsIn(request: Properties, evaluations: unknown, max: number): Questions {
  if (!Array.isArray(evaluations)) throw new Fault('/evaluations must be a list')
  if (evaluations.length > max) throw new Fault(`/evaluations must hold at most ${max} questions`)
  // Defaults need not be whole: what matters is what a question takes over. But none may be of another kind.
  const defaults: Record<string, unknown> = {}
  for (const key of ['subject', 'action', 'resource', 'context']) {
    if (request[key] !== undefined) defaults[key] = object(request[key], `/${key}`)
  }
  const options = optional(request, 'options', '')
  const semantic = options['evaluations_semantic'] ?? 'execute_all'
  if (!SEMANTICS.has(semantic))
    throw new Fault(`/options/evaluations_semantic must be one of ${[...SEMANTICS].join(', ')}`)
  const questions = evaluations.map((each: unknown, index) => {
    const at = `/evaluations/${index}`
    // A key that is given replaces the default whole (§7.1.1).
    return attempt(() => questionIn({ ...defaults, ...object(each, at) }, at))
  })
  return { semantic: semantic as Semantic, questions }
}

function pageIn(request: Properties): Page | null {
  if (request['page'] === undefined) return null
  const { limit = null, token = null } = object(request['page'], '/page')
  if (limit !== null && (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 1))
    throw new Fault('/page/limit must be a whole number from 1')
  if (token !== null && (typeof token !== 'string' || token.length > MAX_TOKEN))
    throw new Fault('/page/token must be a token of an earlier answer')
  return { limit, token: token === '' ? null : token }
}

function entity(request: Properties, key: 'subject' | 'resource', at: string): StatedEntity {
  const stated = object(request[key], `${at}/${key}`)
  return {
    type: text(stated, 'type', `${at}/${key}`),
    id: text(stated, 'id', `${at}/${key}`),
    properties: optional(stated, 'properties', `${at}/${key}`),
  }
}

function typed(request: Properties, key: 'subject' | 'resource'): StatedEntity {
  return { type: text(object(request[key], `/${key}`), 'type', `/${key}`), ...NOBODY }
}

function action(request: Properties, at: string): StatedAction {
  const stated = object(request['action'], `${at}/action`)
  return {
    name: text(stated, 'name', `${at}/action`),
    properties: optional(stated, 'properties', `${at}/action`),
  }
}

function text(stated: Properties, key: string, at: string): string {
  const value = stated[key]
  if (typeof value === 'string' && value !== '' && value.length <= MAX_NAME) return value
  throw new Fault(`${at}/${key} must be a string of 1 to ${MAX_NAME} characters`)
}

function optional(stated: Properties, key: string, at: string): Properties {
  return stated[key] === undefined ? NOTHING : object(stated[key], `${at}/${key}`)
}

function object(value: unknown, at: string): Properties {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Properties
  throw new Fault(`${at === '' ? 'the body' : at} must be an object`)
}
