import { mailIn, phoneIn } from './contact.ts'
import { cardIn, ibanIn } from './numbers.ts'
import { personalId } from './personal-ids.ts'
import { secretIn } from './secrets.ts'

/** What a value shows to be by its form. */
export interface Detection {
  readonly class: 'pii' | 'phi' | 'pci' | 'secret'
  /** `card`, `iban`, `email`, `us-ssn`, `jwt` … */
  readonly kind: string
}

/** Characters of one value that are looked at. */
const MAX_TEXT = 4_096
const PHONE_NAME = /phone|mobile|tel(?:ephone)?$|fax|msisdn|handy/i

/**
 * The class that a value's own form tells: a signal for people, never what a decision is made of. Pure and linear in
 * the text.
 * @param name Of the field it stands in; empty where it has none.
 */
export function detect(value: string, name: string): Detection | null {
  const text = value.length <= MAX_TEXT ? value : value.slice(0, MAX_TEXT)
  if (text.length < 6) return null
  const secret = secretIn(text)
  if (secret !== null) return { class: 'secret', kind: secret }
  // Groups of an account's digits can be a card's number by chance, never the other way round.
  if (ibanIn(text)) return { class: 'pii', kind: 'iban' }
  if (cardIn(text)) return { class: 'pci', kind: 'card' }
  if (mailIn(text)) return { class: 'pii', kind: 'email' }
  const id = personalId(text.trim(), name)
  if (id !== null) return id
  return phoneIn(text, PHONE_NAME.test(name)) ? { class: 'pii', kind: 'phone' } : null
}
