import { CedarRecord, type Value } from './values.ts'

/** Path parameters: own members only, so that names special to JavaScript are plain names. */
export class Params extends CedarRecord {
  readonly #values: Readonly<Record<string, string>>

  constructor(values: Readonly<Record<string, string>>) {
    super()
    this.#values = values
  }

  get(name: string): Value | undefined {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined
  }

  names(): readonly string[] {
    return Object.keys(this.#values)
  }
}

/** A record of known attributes; those that are undefined are absent. */
export class Fields extends CedarRecord {
  readonly #fields: Readonly<Record<string, Value | undefined>>

  /** @param fields Made here, never what came from outside: its prototype is not looked at. */
  constructor(fields: Readonly<Record<string, Value | undefined>>) {
    super()
    this.#fields = fields
  }

  get(name: string): Value | undefined {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }

  names(): readonly string[] {
    return Object.keys(this.#fields).filter((name) => this.#fields[name] !== undefined)
  }
}
