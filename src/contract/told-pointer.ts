import { detect } from '../syntax/sensitive/detect.ts'

/** Too short to be anything that a form tells, and by far most names. */
const MIN_TELLING = 6
const LONG = 25

const mayTell = (text: string): boolean =>
  text.length >= LONG || (text.length >= MIN_TELLING && /[\d@]/.test(text))

/**
 * A step of a pointer as records and callers may read it: names of maps are their senders', and may be the very card
 * numbers and addresses that values hold. Of these `*` is told.
 */
export function toldStep(step: string): string {
  if (!mayTell(step)) return step
  return detect(step.replaceAll('~1', '/').replaceAll('~0', '~'), '') === null ? step : '*'
}

/** The same of a whole pointer. */
export function toldPointer(pointer: string): string {
  if (!mayTell(pointer)) return pointer
  return pointer.split('/').map(toldStep).join('/')
}
