import { SallyportError } from '../../model/errors.ts'
import type { FieldRulePlan, OperationPlan } from '../../model/operation.ts'
import { escapePointer, parsePointer } from '../../syntax/json-pointer.ts'
import { isJson, parseMediaType } from '../../syntax/media-type.ts'
import type { ContractWarning } from '../detail.ts'
import type { OpenApiDocument } from '../document.ts'
import { faultAt } from '../fault.ts'
import { isRecord, type JsonRecord, listAt, own, recordAt, textAt } from '../json-value.ts'
import { mediaKind } from '../media/kind.ts'
import { follow, type Located } from '../reference.ts'
import { sequencePlan } from '../sequence-plan.ts'
import type { FieldStatement } from './field-statement.ts'
import { statedOf } from './field-statement.ts'
import { LabelCompiler, type Place } from './label-compiler.ts'
import type { HeaderLabel, ItemLabels, LabelDetail, LabelId, LabelNode } from './label-node.ts'
import { type PointerStatements, pointerStatements, type State } from './label-states.ts'

/** What stands beside the contract about its fields. */
export interface FieldStatements {
  /** By JSON pointer into the contract, `#/components/…`. */
  readonly places: Readonly<Record<string, FieldStatement>>
  /** By operationId or `GET /orders`, then by JSON pointer into the instance. */
  readonly operations: Readonly<Record<string, { readonly request: Stated; readonly answer: Stated }>>
  /** False: names and formats of fields tell nothing. */
  readonly names: boolean
}

type Stated = Readonly<Record<string, FieldStatement>>

/** What was found of one operation. */
export interface Classified {
  readonly plan: Pick<OperationPlan, 'classes' | 'fieldRules' | 'hiddenParameters'>
  readonly detail: LabelDetail
  readonly request: readonly Place[]
  readonly answer: readonly Place[]
  /** An answer's schema declares the place. */
  declares(pointer: string): boolean
}

interface Draft {
  readonly request: readonly (State | null)[]
  readonly answers: readonly (readonly [string, State | null])[]
  readonly items: readonly (readonly [string, State | null, ItemLabels['within']])[]
  readonly parameters: readonly {
    readonly in: Hidden['in']
    readonly name: string
    readonly state: State | null
  }[]
  readonly headers: readonly (readonly [name: string, state: State | null])[]
  readonly json: boolean
}

type Hidden = NonNullable<OperationPlan['hiddenParameters']>[number]
type At = { readonly value: JsonRecord; readonly pointer: string }

const PLACES: ReadonlySet<string> = new Set(['path', 'query', 'header', 'cookie'])
/** What says how the bytes are to be read is no value of anybody's. */
const FRAMING: ReadonlySet<string> = new Set(
  'content-type content-length content-encoding transfer-encoding'.split(' '),
)
export const NOTHING_STATED_OF_FIELDS: FieldStatements = { places: {}, operations: {}, names: true }

/** Reads the classes of a contract's parameters, bodies and answers, operation by operation. */
export class Classifier {
  readonly #document: OpenApiDocument
  readonly #labels: LabelCompiler
  readonly #beside: FieldStatements
  readonly #warn: (warning: ContractWarning) => void
  readonly #drafts: Draft[] = []
  readonly #met = new Set<string>()
  readonly #tries: { readonly operation: string; readonly part: string; readonly root: PointerStatements }[] =
    []

  constructor(document: OpenApiDocument, beside: FieldStatements, warn: (warning: ContractWarning) => void) {
    this.#document = document
    this.#beside = beside
    this.#warn = warn
    const stated = new Map<string, FieldStatement>()
    for (const [place, statement] of Object.entries(beside.places)) {
      const pointer = place.slice(1)
      if (!isRecord(valueAt(document.root, place)))
        throw unknownField([place], `${place} points to nothing in the contract`)
      stated.set(pointer, statement)
    }
    this.#labels = new LabelCompiler(document, { stated, names: beside.names })
  }

  /** Operations are given in the contract's order, and asked for by it. */
  add(names: readonly string[], item: At, operation: At): void {
    const name = names.find((each) => Object.hasOwn(this.#beside.operations, each))
    const beside = name === undefined ? undefined : this.#beside.operations[name]
    if (name !== undefined) this.#met.add(name)
    const trie = (part: 'request' | 'answer'): PointerStatements | null => {
      const stated = beside?.[part] ?? {}
      if (name === undefined || Object.keys(stated).length === 0) return null
      const root = pointerStatements(stated, parsePointer)
      this.#tries.push({ operation: name, part, root })
      return root
    }
    const answerTrie = trie('answer')
    const answers: (readonly [string, State | null])[] = []
    const items: Draft['items'][number][] = []
    const headers: Draft['headers'][number][] = []
    let json = false
    for (const [status, member] of Object.entries(recordAt(operation.value, 'responses'))) {
      if (status.startsWith('x-')) continue
      const answer = follow(this.#document, member, `${operation.pointer}/responses/${escapePointer(status)}`)
      const content = contentSchemas(this.#document, answer)
      json ||= content.json
      const key = status.toLowerCase() === 'default' ? 'default' : status.toUpperCase()
      answers.push([key, this.#labels.root(content.schemas, answerTrie === null ? [] : [answerTrie])])
      if (content.items.length > 0) items.push(this.#items(key, content.items, answerTrie))
      for (const [header, each] of Object.entries(recordAt(answer.value, 'headers'))) {
        const at = follow(this.#document, each, `${answer.pointer}/headers/${escapePointer(header)}`)
        if (!FRAMING.has(header.toLowerCase())) headers.push([header, this.#parameter(at, header, true)])
      }
    }
    const body = own(operation.value, 'requestBody')
    const requestTrie = body === undefined ? null : trie('request')
    const request =
      body === undefined
        ? []
        : [
            this.#labels.root(
              contentSchemas(this.#document, follow(this.#document, body, `${operation.pointer}/requestBody`))
                .schemas,
              requestTrie === null ? [] : [requestTrie],
            ),
          ]
    this.#drafts.push({
      request,
      answers,
      items,
      headers,
      json,
      parameters: this.#parameters(item, operation),
    })
  }

  /** Throws where what stands beside the contract names nothing. */
  finish(): void {
    this.#labels.finish()
    if (this.#labels.exhausted)
      this.#warn({
        code: 'classes-too-complex',
        pointer: '',
        message: 'schemas lead to too many places: no class is told by a field’s name or format',
      })
    for (const name of Object.keys(this.#beside.operations))
      if (!this.#met.has(name)) throw unknownField([name], `there is no operation ${name} in the contract`)
    for (const { operation, part, root } of this.#tries) {
      const unmet = firstUnmet(root)
      if (unmet !== null)
        throw unknownField([operation, part, unmet], `the ${part} of ${operation} declares no field ${unmet}`)
    }
  }

  of(index: number): Classified {
    const draft = this.#drafts[index]
    if (draft === undefined) throw new RangeError('no such operation')
    const labels = this.#labels
    const parameters = draft.parameters.map((each) => ({ ...each, ...labels.reached([each.state]) }))
    const request = [...labels.reached(draft.request).places, ...parameters.flatMap(({ places }) => places)]
    const roots = [...draft.answers, ...draft.items].map(([, root]) => root)
    const inBody = labels.reached(roots)
    const ofHeaders = labels.reached(draft.headers.map(([, root]) => root))
    const headers = this.#headers(draft.headers)
    const answer = [...inBody.places, ...ofHeaders.places]
    const classes = { request: classesOf(request), answer: classesOf(answer) }
    const hidden = parameters
      .filter(({ places }) => places.length > 0)
      .map((each): Hidden => ({ in: each.in, name: each.name }))
    const rules = new Map([...inBody.rules, ...ofHeaders.rules].map((rule) => [rule.at, rule]))
    const fieldRules = [...rules.values()].map(({ at, roles, groups, scopes, otherwise }): FieldRulePlan => {
      return { at, visibleTo: { roles, groups, scopes }, otherwise }
    })
    const answers: Record<string, LabelId> = {}
    for (const [status, root] of draft.answers)
      if (labels.idOf(root) !== 0) answers[status] = labels.idOf(root)
    const items: Record<string, ItemLabels> = {}
    for (const [status, root, within] of draft.items) items[status] = { label: labels.idOf(root), within }
    return {
      plan: {
        ...(classes.request.length + classes.answer.length === 0 ? {} : { classes }),
        ...(fieldRules.length === 0 ? {} : { fieldRules }),
        ...(hidden.length === 0 ? {} : { hiddenParameters: hidden }),
      },
      detail: {
        answers,
        json: draft.json,
        ...(draft.items.length === 0 ? {} : { items }),
        ...(headers === null ? {} : { headers }),
      },
      request,
      answer,
      declares: (pointer) => roots.some((root) => labels.declares(root, parsePointer(pointer))),
    }
  }

  table(): Iterable<readonly [LabelId, LabelNode]> {
    return this.#labels.table()
  }

  /** Of a name that several answers declare, what any of them is labelled. */
  #headers(drafts: Draft['headers']): NonNullable<LabelDetail['headers']> | null {
    const roots = new Map<string, { readonly name: string; readonly states: (State | null)[] }>()
    for (const [name, state] of drafts) {
      const known = roots.get(name.toLowerCase())
      if (known === undefined) roots.set(name.toLowerCase(), { name, states: [state] })
      else known.states.push(state)
    }
    const labelled = [...roots].flatMap(([lower, { name, states }]): [string, HeaderLabel][] => {
      const { places, rules } = this.#labels.reached(states)
      if (places.length + rules.length === 0) return []
      const parts = states.some((state) => this.#labels.declares(state, ['*']))
      const c = classesOf(places)
      const f = rules.map(({ at }) => at)
      return [[lower, { name, c, ...(f.length === 0 ? {} : { f }), ...(parts ? { parts: 1 } : {}) }]]
    })
    return labelled.length === 0 ? null : Object.fromEntries(labelled)
  }

  /** One item of a sequence: what is stated of the whole by pointers is stated of it where it stands in the whole. */
  #items(
    status: string,
    items: readonly SequenceItemAt[],
    trie: PointerStatements | null,
  ): Draft['items'][number] {
    const within = items.map((each) => each.within).filter((steps) => steps.length > 0)
    const stated = [[], ...within].flatMap((steps) => stepsBelow(trie, steps) ?? [])
    return [status, this.#labels.root(items, stated), within]
  }

  #parameters(item: At, operation: At): Draft['parameters'] {
    const located = new Map<string, Draft['parameters'][number]>()
    for (const holder of [item, operation]) {
      listAt(holder.value, 'parameters').forEach((member, index) => {
        const at = follow(this.#document, member, `${holder.pointer}/parameters/${index}`)
        const [place, name] = [textAt(at.value, 'in'), textAt(at.value, 'name')]
        if (place === undefined || name === undefined || !PLACES.has(place)) return
        const state = this.#parameter(at, name)
        located.set(`${place}:${name}`, { in: place as Hidden['in'], name, state })
      })
    }
    return [...located.values()]
  }

  /** A parameter or header states for itself what its schema might. */
  #parameter({ value, pointer }: At, name: string, answer = false): State | null {
    const schema = own(value, 'schema')
    const content = contentSchemas(this.#document, { value, pointer })
    const schemas: Located[] = [...content.schemas]
    if (schema !== undefined) schemas.push({ value: schema, pointer: `${pointer}/schema` })
    const stated = statedOf(value)
    if (typeof stated === 'string') throw faultAt(this.#document, `${pointer}/x-sallyport`, stated)
    const beside = [stated, this.#beside.places[`#${pointer}`] ?? null].filter((each) => each !== null)
    if (!answer && beside.some(({ field }) => field !== undefined))
      throw faultAt(this.#document, pointer, 'field rules stand at fields of an answer')
    const stating = beside.some((each) => each.classes !== undefined)
    const classes = [...new Set(beside.flatMap((each) => each.classes ?? []))]
    const field = beside.findLast((each) => each.field !== undefined)?.field
    const statement = {
      ...(stating || !answer ? { classes } : {}),
      ...(field === undefined ? {} : { field }),
    }
    const own_ = beside.length === 0 ? [] : [stateOf(`#${pointer}`, statement)]
    return this.#labels.root(schemas, own_, name)
  }
}

function stateOf(at: string, statement: FieldStatement): PointerStatements {
  return { at, statement, met: true, below: new Map() }
}

/** The schema of one item, and where it stands in the whole. */
interface SequenceItemAt extends Located {
  readonly within: readonly string[]
}

function stepsBelow(trie: PointerStatements | null, steps: readonly string[]): PointerStatements | null {
  let at = trie
  for (const step of steps) at = at?.below.get(step) ?? null
  return at
}

interface ContentSchemas {
  readonly schemas: readonly Located[]
  readonly items: readonly SequenceItemAt[]
  readonly json: boolean
}

function contentSchemas(document: OpenApiDocument, holder: At): ContentSchemas {
  const schemas: Located[] = []
  const items: SequenceItemAt[] = []
  let json = false
  for (const [range, stated] of Object.entries(recordAt(holder.value, 'content'))) {
    const media = parseMediaType(range)
    if (media === null || !isRecord(stated)) continue
    // OpenAPI 3.2 §4.7: under `components.mediaTypes`, or in another file.
    const at = follow(document, stated, `${holder.pointer}/content/${escapePointer(range)}`)
    const { value: member, pointer } = at
    const item = sequencePlan(document, media, member, pointer)
    if (item !== null) items.push({ value: item.schema, pointer: item.pointer, within: item.within })
    const kind = mediaKind(media)
    const structured = (kind === 'xml' || kind === 'form') && own(member, 'schema') !== undefined
    json ||= isJson(media) || media.subtype === '*' || structured || item !== null
    json ||= /(?:ndjson|json-seq|jsonl|event-stream)/.test(media.subtype)
    for (const keyword of ['schema', 'itemSchema']) {
      const schema = own(member, keyword)
      if (isRecord(schema)) schemas.push({ value: schema, pointer: `${pointer}/${keyword}` })
    }
  }
  return { schemas, items, json }
}

function classesOf(places: readonly Place[]): readonly string[] {
  return [...new Set(places.map((place) => place.class))].sort()
}

function firstUnmet(root: PointerStatements): string | null {
  for (const node of root.below.values()) {
    const unmet = node.met ? firstUnmet(node) : node.at
    if (unmet !== null) return unmet
  }
  return null
}

function valueAt(root: unknown, place: string): unknown {
  if (!place.startsWith('#')) return undefined
  let at = root
  let steps: readonly string[]
  try {
    steps = parsePointer(place.slice(1))
  } catch {
    return undefined
  }
  for (const step of steps) {
    if (Array.isArray(at))
      at = /^(?:0|[1-9]\d{0,8})$/.test(step) ? (at as unknown[])[Number(step)] : undefined
    else at = isRecord(at) ? own(at, step) : undefined
  }
  return at
}

/** `segments`: keys below `fields` of the file that states it. */
function unknownField(segments: readonly string[], message: string): SallyportError {
  return new SallyportError('config-invalid', message, { fields: segments })
}
