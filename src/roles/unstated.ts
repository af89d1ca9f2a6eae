import type { BundleHead } from '../model/bundle.ts'

/**
 * Attributes that nothing in this configuration states, with why. A policy that asks for one is not wrong, it waits
 * for what never comes: a permit over it permits nobody, a forbid over it forbids nothing.
 */
export function unstatedAttributes(
  head: Pick<BundleHead, 'issuers' | 'networks' | 'zones'>,
): ReadonlyMap<string, string> {
  const unstated = new Map<string, string>([
    ['context.geo', 'no signal states where an address is'],
    ['context.risk', 'no signal states a risk'],
    ['context.rates', 'no signal states how often a caller calls'],
    ['context.message', 'no channel’s messages are judged'],
  ])
  if (!head.issuers.some(({ deviceClaim }) => deviceClaim !== undefined))
    unstated.set('context.device', 'no issuer has a deviceClaim')
  if (!head.issuers.some(({ rolesClaim }) => rolesClaim !== undefined))
    unstated.set('principal.roles', 'no issuer has a rolesClaim')
  if (Object.keys(head.networks ?? {}).length === 0)
    unstated.set('context.networks', 'no networks are declared')
  return unstated
}
