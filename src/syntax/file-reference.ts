/** References of one file to another below the same folder (RFC 3986 §4.2, relative-path references): never opened here. */

export type FileReference =
  | {
      readonly ok: true
      /** From the common folder, with `/` and without `.` and `..`; empty: the file the reference stands in. */
      readonly path: string
      /** After `#`, percent-decoded; empty: the whole file. */
      readonly fragment: string
    }
  | { readonly ok: false; readonly why: string }

/** Longer than paths on any system that opens them. */
const MAX_REFERENCE = 1_024
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/

/**
 * Reads a reference as it stands in the file `from`, itself named from the common folder.
 * What leads out of that folder is refused by name, whatever it would lead to.
 */
export function parseFileReference(reference: string, from: string): FileReference {
  if (reference.length > MAX_REFERENCE) return refuse('is too long')
  const hash = reference.indexOf('#')
  const named = decoded(hash < 0 ? reference : reference.slice(0, hash))
  const fragment = decoded(hash < 0 ? '' : reference.slice(hash + 1))
  if (named === null || fragment === null) return refuse('has a % that begins no escape of UTF-8 text')
  if (named === '') return { ok: true, path: '', fragment }
  const scheme = SCHEME.exec(named)?.[0]
  if (scheme !== undefined) return refuse(`names a ${scheme} address`)
  if (named.startsWith('/')) return refuse('is an absolute path')
  if (/[\\\0-\x1f\x7f?#:*"<>|]/.test(named)) return refuse('has characters that no file name here may have')
  const parts = from.split('/').slice(0, -1)
  for (const part of named.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return refuse('leads out of the contract’s folder')
  }
  if (parts.length === 0 || /(?:^|\/)\.{0,2}$/.test(named)) return refuse('names a folder, not a file')
  return { ok: true, path: parts.join('/'), fragment }
}

function decoded(text: string): string | null {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

const refuse = (why: string): FileReference => ({ ok: false, why })
