import { z } from 'zod'
import { parseCidr } from '../syntax/cidr.ts'
import { name, refuse } from './forms.ts'

/** What surrounds a call and policies may ask for: where on the network it comes from, and what a clock shows. */

const MAX_NETWORKS = 100
const MAX_BLOCKS = 1000

const block = z.string().superRefine((text, context) => {
  if (parseCidr(text) !== null) return
  refuse(
    context,
    'must be an address block without bits beyond its prefix, or one address',
    'For example 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7.',
  )
})

export const networks = z
  .record(name, z.array(block).min(1).max(MAX_BLOCKS))
  .default({})
  .superRefine((declared, context) => {
    if (Object.keys(declared).length <= MAX_NETWORKS) return
    refuse(context, `must be ${MAX_NETWORKS} networks at most`, 'Join some of them.')
  })
  .describe(
    'Networks by name, each a list of address blocks: `office: [10.0.0.0/8]`. A policy asks `context.networks.contains("office")`.',
  )

export const timeZone = z
  .string()
  .max(64)
  .default('UTC')
  .superRefine((text, context) => {
    if (isTimeZone(text)) return
    refuse(context, 'must be the IANA name of a time zone', 'For example Europe/Berlin or UTC.')
  })
  .describe('IANA name of the time zone in which policies read `context.time.hour`, `minute` and `weekday`.')

/** Offsets (`+02:00`) are taken by Intl too; they name no place, so no daylight saving would follow. */
function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}
