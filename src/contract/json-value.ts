export type JsonRecord = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function recordAt(value: JsonRecord, name: string): JsonRecord {
  const member = own(value, name)
  return isRecord(member) ? member : {}
}

export function listAt(value: JsonRecord, name: string): readonly unknown[] {
  const member = own(value, name)
  return Array.isArray(member) ? member : []
}

export function textAt(value: JsonRecord, name: string): string | undefined {
  const member = own(value, name)
  return typeof member === 'string' ? member : undefined
}

/** Contracts name members `constructor` and `toString`; only own ones are theirs. */
export function own(value: JsonRecord, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined
}
