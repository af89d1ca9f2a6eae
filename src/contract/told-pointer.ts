import { detect } from '../syntax/sensitive/detect.ts'

/** Too short to be anything that a form tells, and by far most names. */
const MIN_TELLING = 6
const MAY_TELL = /[\d@]|.{25}/s

/**
 * A step of a pointer as records and callers may read it: names of maps are their senders', and may be the very card
 * numbers and addresses that values hold. Of these `*` is told.
 */
export function toldStep(step: string): string {
  if (step.length < MIN_TELLING || !MAY_TELL.test(step)) return step
  return detect(step.replaceAll('~1', '/').replaceAll('~0', '~'), '') === null ? step : '*'
}

/** The same of a whole pointer. */
export function toldPointer(pointer: string): string {
  if (pointer.length < MIN_TELLING || !MAY_TELL.test(pointer)) return pointer
  return pointer.split('/').map(toldStep).join('/')
}
