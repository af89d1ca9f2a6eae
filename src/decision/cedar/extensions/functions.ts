import type { ExtensionFunction } from '../values.ts'
import { DATETIME_FUNCTIONS } from './datetime.ts'
import { DECIMAL_FUNCTIONS } from './decimal.ts'
import { DURATION_FUNCTIONS } from './duration.ts'
import { IPADDR_FUNCTIONS } from './ipaddr.ts'

/** Every extension function and method there is, by the name that Cedar's JSON form calls it by. */
export const EXTENSION_FUNCTIONS: ReadonlyMap<string, ExtensionFunction> = new Map(
  [...IPADDR_FUNCTIONS, ...DECIMAL_FUNCTIONS, ...DATETIME_FUNCTIONS, ...DURATION_FUNCTIONS].map((each) => [
    each.name,
    each,
  ]),
)
