import { escapePointer } from '../../syntax/json-pointer.ts'
import { detect } from '../../syntax/sensitive/detect.ts'
import { isRawNumber, numberText } from '../exact-json.ts'
import { toldStep } from '../told-pointer.ts'
import { type LinkedLabels, labelsAt, labelsFor } from './linked-labels.ts'

/** A class that a value's form tells, at a place to which the contract gives none. */
export interface Detected {
  readonly class: string
  /** Indexes as `*`. */
  readonly pointer: string
}

/** Characters of one answer that are looked at, however many values. */
const MAX_CHARACTERS = 65_536
const MAX_DETECTED = 20
const MAX_POINTER = 256

/** Looks at the first values of an answer, in their order; bounded in values, characters and findings. */
export function sampleValues(
  value: unknown,
  labels: LinkedLabels | null,
  maxValues: number,
): readonly Detected[] {
  const sampler = new Sampler(maxValues)
  sampler.visit(value, labels, '')
  return [...sampler.found.values()]
}

class Sampler {
  readonly found = new Map<string, Detected>()
  readonly #path: string[] = []
  #values: number
  #characters = MAX_CHARACTERS

  constructor(maxValues: number) {
    this.#values = maxValues
  }

  /** False once enough was seen. */
  visit(at: unknown, labels: LinkedLabels | null, name: string): boolean {
    if (typeof at === 'string') return this.#look(at, labels, name)
    if (typeof at === 'number') return this.#look(String(at), labels, name)
    if (typeof at !== 'object' || at === null) return true
    if (isRawNumber(at)) return this.#look(numberText(at), labels, name)
    if (Array.isArray(at)) {
      for (let index = 0; index < at.length; index++) {
        const below = labels === null ? null : labelsAt(index, labels)
        if (!this.#below('*', at[index], below, name)) return false
      }
      return true
    }
    const object = at as Readonly<Record<string, unknown>>
    for (const key of Object.keys(object)) {
      const below = labels === null ? null : labelsFor(key, labels)
      if (!this.#below(key, object[key], below, key)) return false
    }
    return true
  }

  #below(step: string, at: unknown, labels: LinkedLabels | null, name: string): boolean {
    this.#path.push(step)
    const more = this.visit(at, labels, name)
    this.#path.pop()
    return more
  }

  #look(text: string, labels: LinkedLabels | null, name: string): boolean {
    if (this.#values-- <= 0 || this.#characters <= 0) return false
    this.#characters -= text.length
    const detected = detect(text, name)
    if (detected === null || labels?.classes.includes(detected.class) === true) return true
    // Names are the upstream's, and may be as telling as values.
    const steps = this.#path.map((step) => toldStep(escapePointer(step)))
    const pointer = steps
      .map((step) => `/${step}`)
      .join('')
      .slice(0, MAX_POINTER)
      .toWellFormed()
    this.found.set(`${detected.class} ${pointer}`, { class: detected.class, pointer })
    return this.found.size < MAX_DETECTED
  }
}
