import { hash, type KeyObject } from 'node:crypto'
import type { Random } from '../model/ports.ts'
import type { Subject } from '../model/subject.ts'
import { KEY_BYTES, type KeyWrap, makeKey } from './seal.ts'

/** A subject as one segment knows it: written once, referred to by number, sealed under its owner's key. */
export interface SubjectEntry {
  /** Number of the segment that knows it; in another one the subject is stated anew. */
  readonly segment: number
  readonly ref: number
  readonly keyRef: number
  readonly key: KeyObject
}

/** Distinct subjects, and distinct tokens of subjects, a segment holds before it is rotated: what bounds memory. */
export const MAX_SUBJECTS = 50_000
/** Anonymous addresses with a key of their own in one segment; further ones share one, so no flood makes keys. */
export const MAX_ADDRESSES = 10_000

const SHARED_OWNER = 'anonymous-shared'

/** Whose key seals: a person is erased as `iss` and `sub`, an anonymous caller as an address. */
export function ownerOf(subject: Subject, address: string): string {
  return subject.kind === 'anonymous' ? addressOwner(address) : subjectOwner(subject.iss, subject.id)
}

export function addressOwner(address: string): string {
  return `address:${address}`
}

export function subjectOwner(iss: string, sub: string): string {
  return `subject:${iss.length}:${iss}${sub}`
}

export interface TablePorts {
  readonly segment: number
  readonly wrap: KeyWrap
  readonly digest: (owner: string) => string
  readonly random: Random
}

interface OwnerKey {
  readonly ref: number
  readonly key: KeyObject
}

export class SubjectTable {
  readonly #ports: TablePorts
  readonly #owners = new Map<string, OwnerKey>()
  readonly #entries = new Map<string, SubjectEntry>()
  readonly #seen = new WeakMap<Subject, SubjectEntry>()
  /** Introduced by the lines being formed: forgotten again if those never land. */
  readonly #fresh: { readonly entryKey: string; readonly subject: Subject }[] = []
  #lastRef = 0
  #addresses = 0
  #anonymous: Subject | null = null
  #anonymousText = ''

  constructor(ports: TablePorts) {
    this.#ports = ports
  }

  get full(): boolean {
    return this.#entries.size >= MAX_SUBJECTS || this.#owners.size >= MAX_SUBJECTS
  }

  /** The entry of a subject met before, or null. */
  find(subject: Subject, address: string): SubjectEntry | null {
    if (subject.kind !== 'anonymous') {
      const seen = this.#seen.get(subject)
      if (seen !== undefined) return seen
    }
    const entry = this.#entries.get(this.#entryKey(subject, address))
    if (entry === undefined) return null
    if (subject.kind !== 'anonymous') this.#seen.set(subject, entry)
    return entry
  }

  /** Makes entry and key of a subject not found. `keyLine` is empty where the owner had a key already. */
  introduce(subject: Subject, address: string): { readonly entry: SubjectEntry; readonly keyLine: string } {
    const shared = this.#shares(subject, address)
    const owner = shared ? SHARED_OWNER : ownerOf(subject, address)
    let known = this.#owners.get(owner)
    let keyLine = ''
    if (known === undefined) {
      const bytes = this.#ports.random.bytes(KEY_BYTES)
      known = { ref: this.#owners.size + 1, key: makeKey(bytes) }
      this.#owners.set(owner, known)
      if (subject.kind === 'anonymous') this.#addresses++
      const digest = this.#ports.digest(owner)
      const wrapped = this.#ports.wrap.wrap(bytes, this.#ports.random, keyBound(known.ref, digest))
      bytes.fill(0)
      keyLine = `{"v":1,"k":${known.ref},"s":"${digest}","w":"${wrapped}"}\n`
    }
    const entry: SubjectEntry = {
      segment: this.#ports.segment,
      ref: ++this.#lastRef,
      keyRef: known.ref,
      key: known.key,
    }
    const entryKey = this.#entryKey(subject, address)
    this.#entries.set(entryKey, entry)
    if (subject.kind !== 'anonymous') this.#seen.set(subject, entry)
    this.#fresh.push({ entryKey, subject })
    return { entry, keyLine }
  }

  /** The lines that introduced subjects landed. */
  commit(): void {
    if (this.#fresh.length > 0) this.#fresh.length = 0
  }

  /** They did not: nothing may refer to those subjects. Their owners' keys are in the key file and stay. */
  undo(): void {
    for (const { entryKey, subject } of this.#fresh) {
      this.#entries.delete(entryKey)
      this.#seen.delete(subject)
    }
    this.#fresh.length = 0
  }

  #shares(subject: Subject, address: string): boolean {
    return (
      subject.kind === 'anonymous' &&
      this.#addresses >= MAX_ADDRESSES &&
      !this.#owners.has(ownerOf(subject, address))
    )
  }

  #entryKey(subject: Subject, address: string): string {
    if (subject.kind !== 'anonymous') return hash('sha256', JSON.stringify(subject), 'base64url')
    if (this.#anonymous !== subject) {
      this.#anonymous = subject
      this.#anonymousText = JSON.stringify(subject)
    }
    return this.#shares(subject, address) ? this.#anonymousText : `${address}\n${this.#anonymousText}`
  }
}

/** What a wrapped key is bound to: a key line moved to another number or owner does not open. */
export function keyBound(ref: number, digest: string): string {
  return `${ref}\n${digest}`
}
