import type { Policy } from './est.ts'

/**
 * `@mode("observe")`: the policy is evaluated apart, and decides nothing. A permit then only would permit, a forbid only
 * would forbid, so that a policy is tried on real traffic before it has an effect.
 */
export function isObserved({ annotations }: Policy): boolean {
  return annotations?.['mode'] === 'observe'
}

/** Why the annotation cannot be meant as it stands: a permit that was to be tried only must not take effect. */
export function modeFault({ annotations = {} }: Policy): string | null {
  for (const [name, value] of Object.entries(annotations)) {
    if (name !== 'mode') {
      // Cedar lets annotations be named as one likes; this value says which one was meant.
      if (value === 'observe' || /^modus$|^mode$|^mod$|^moed$|^observed?$/i.test(name))
        return `there is no annotation @${name}; write @mode("observe")`
    } else if (value !== 'observe' && value !== 'enforce') return '@mode is "observe" or "enforce"'
  }
  return null
}
