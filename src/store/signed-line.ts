import { type KeyObject, sign, verify } from 'node:crypto'

const SIGNED = /^(\{.*),"sig":"([A-Za-z0-9_-]{86})"\}$/s

/**
 * A plain object as one line of JSON with an Ed25519 signature (RFC 8032, base64url) as its last member, over the
 * line without it. Its first member must say what is stated, so that nothing signed for one use passes for another.
 */
export function signLine(statement: object, privateKey: KeyObject): string {
  const text = JSON.stringify(statement)
  const signature = sign(null, Buffer.from(text), privateKey).toString('base64url')
  return `${text.slice(0, -1)},"sig":"${signature}"}`
}

/** What a line states; null where it is none, or its signature does not verify. */
export function readSignedLine(line: string, publicKey: KeyObject): unknown {
  const [, head = '', signature = ''] = SIGNED.exec(line) ?? []
  if (head === '') return null
  const text = `${head}}`
  try {
    if (!verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64url'))) return null
    return JSON.parse(text)
  } catch {
    return null
  }
}
