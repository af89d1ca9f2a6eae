import type { ContextInput, DecisionInput } from '../../model/decision.ts'
import { Datetime } from './extensions/datetime.ts'
import { type IpAddr, parseIpAddr } from './extensions/ipaddr.ts'
import { Fields } from './input-records.ts'
import { CedarRecord, CedarSet, EntityUid, type Value } from './values.ts'

type Make = (input: DecisionInput, ip: IpAddr | null) => Value | undefined

/** Attributes of `context` (schema.ts), with how each is made of the input. */
const ATTRIBUTES: Readonly<Record<string, Make>> = {
  checkpoint: ({ checkpoint }) => checkpoint,
  scopes: ({ context }) => new CedarSet(context.scopes),
  scopesMet: ({ context }) => context.scopesMet,
  issuer: ({ context }) => context.issuer,
  audience: ({ context }) => new CedarSet(context.audience),
  acr: ({ context }) => context.acr,
  tokenAgeSeconds: ({ context }) => Math.floor(context.tokenAgeSeconds),
  method: ({ context }) => context.method,
  path: ({ context }) => context.path,
  ip: (_, ip) => ip ?? undefined,
  amr: ({ context: { amr } }) => (amr === undefined ? undefined : new CedarSet(amr)),
  authAgeSeconds: ({ context: { authAgeSeconds: age } }) => (age === undefined ? undefined : Math.floor(age)),
  networks: ({ context: { networks } }) => (networks === undefined ? undefined : new CedarSet(networks)),
  requestClasses: ({ context: { requestClasses: classes } }) =>
    classes === undefined ? undefined : new CedarSet(classes),
  answerClasses: ({ context: { answerClasses: classes } }) =>
    classes === undefined ? undefined : new CedarSet(classes),
  time: ({ context: { time } }) =>
    time === undefined
      ? undefined
      : new Fields({
          now: new Datetime(Math.floor(time.epochMs)),
          hour: time.hour,
          minute: time.minute,
          weekday: time.weekday,
          zone: time.zone,
        }),
  device: ({ context: { device } }) =>
    device === undefined ? undefined : new EntityUid('Device', device.id),
  geo: ({ context: { geo } }) =>
    geo === undefined ? undefined : new Fields({ country: geo.country, asn: geo.asn }),
  risk: ({ context: { risk } }) => risk,
  rates: ({ context: { rates } }) =>
    rates === undefined ? undefined : new Fields({ callerPerMinute: Math.floor(rates.callerPerMinute) }),
  message: ({ context: { message } }) =>
    message === undefined ? undefined : new Fields({ kind: message.kind, bytes: message.bytes }),
}

type Check = (input: DecisionInput) => boolean

const isText = (value: unknown): boolean => typeof value === 'string'
const isTexts = (value: unknown): boolean => value === undefined || Array.isArray(value)
const isWhole = (value: number | undefined): boolean => value === undefined || Number.isSafeInteger(value)
const isAge = (value: number | undefined): boolean => value === undefined || isWhole(Math.floor(value))

/** What each must be for its type to be true; policies are validated against that, so they would not expect else. */
const CHECKS: Readonly<Record<string, Check>> = {
  checkpoint: ({ checkpoint }) => isText(checkpoint),
  scopes: ({ context }) => Array.isArray(context.scopes),
  scopesMet: ({ context }) => typeof context.scopesMet === 'boolean',
  issuer: ({ context }) => isText(context.issuer),
  audience: ({ context }) => Array.isArray(context.audience),
  acr: ({ context: { acr } }) => acr === undefined || isText(acr),
  tokenAgeSeconds: ({ context }) => isWhole(Math.floor(context.tokenAgeSeconds)),
  method: ({ context }) => isText(context.method),
  path: ({ context }) => isText(context.path),
  amr: ({ context }) => isTexts(context.amr),
  authAgeSeconds: ({ context }) => isAge(context.authAgeSeconds),
  networks: ({ context }) => isTexts(context.networks),
  requestClasses: ({ context }) => isTexts(context.requestClasses),
  answerClasses: ({ context }) => isTexts(context.answerClasses),
  time: ({ context: { time } }) =>
    time === undefined ||
    (isWhole(Math.floor(time.epochMs)) &&
      isWhole(time.hour) &&
      isWhole(time.minute) &&
      isText(time.weekday) &&
      isText(time.zone)),
  device: ({ context: { device } }) => device === undefined || isText(device.id),
  geo: ({ context: { geo } }) => geo === undefined || (isText(geo.country) && isWhole(geo.asn)),
  risk: ({ context }) => isWhole(context.risk),
  rates: ({ context: { rates } }) => rates === undefined || isAge(rates.callerPerMinute),
  message: ({ context: { message } }) =>
    message === undefined || (isText(message.kind) && isWhole(message.bytes)),
}

/** What policies read of the context, worked out once per bundle. */
export class ContextReads {
  /** By name, in the order in which a call's context keeps what it made of them. */
  readonly attributes: ReadonlyMap<string, { readonly at: number; readonly make: Make }>
  readonly ip: boolean
  readonly #checks: readonly (readonly [string, Check])[]

  constructor(reads: ReadonlySet<string>) {
    const whole = reads.has('context')
    const read = Object.entries(ATTRIBUTES).filter(([name]) => whole || reads.has(`context.${name}`))
    this.attributes = new Map(read.map(([name, make], at) => [name, { at, make }]))
    this.ip = this.attributes.has('ip')
    this.#checks = Object.entries(CHECKS).filter(([name]) => this.attributes.has(name))
  }

  /** @throws {Error} naming the attribute that is not what its type says. */
  check(input: DecisionInput): void {
    for (let index = 0; index < this.#checks.length; index++) {
      const check = this.#checks[index]
      if (check !== undefined && !check[1](input)) throw new Error(`context.${check[0]} is not of its type`)
    }
  }
}

/** The call's context. Only what policies were found to read can be read: what records keep is all there is. */
export class CallContext extends CedarRecord {
  readonly #input: DecisionInput
  readonly #reads: ContextReads
  readonly #ip: IpAddr | null
  /** Sets and records, made when first asked for. */
  #made: Value[] | null = null

  /** @throws {Error} where an attribute that policies read is not of its type. */
  constructor(input: DecisionInput, reads: ContextReads) {
    super()
    reads.check(input)
    this.#input = input
    this.#reads = reads
    this.#ip = reads.ip ? addressOf(input.context) : null
  }

  get(name: string): Value | undefined {
    const attribute = this.#reads.attributes.get(name)
    if (attribute === undefined) return undefined
    const known = this.#made?.[attribute.at]
    if (known !== undefined) return known
    const value = attribute.make(this.#input, this.#ip)
    if (typeof value !== 'object') return value
    this.#made ??= []
    this.#made[attribute.at] = value
    return value
  }

  names(): readonly string[] {
    return [...this.#reads.attributes.keys()].filter((name) => this.get(name) !== undefined)
  }
}

function addressOf({ ip }: ContextInput): IpAddr {
  const address = isText(ip) ? parseIpAddr(ip) : null
  if (address === null) throw new Error('context.ip is no address')
  return address
}
