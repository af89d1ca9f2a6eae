import { basename, dirname, join } from 'node:path'
import { parseFileReference } from '../syntax/file-reference.ts'
import { outwardReferences } from '../syntax/reference-texts.ts'
import { liesBelow, readTextFile } from './files.ts'

/** What came of reading a file that a contract refers to; `why` follows its name in a sentence. */
export type ContractPart =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: string }

/** Split contracts in use have a few hundred files. */
const MAX_PARTS = 1_000
/** Of a contract with all its files, in characters. */
const MAX_TOTAL = 32 * 1_048_576
/** No key, no `.env`, no script: what a contract may be written in. */
const CONTRACT_FILE = /\.(?:json|ya?ml)$/i

/**
 * Reads the files that a contract refers to, and those that these do, by their path from the contract's folder. Only
 * what really lies in that folder or below is read; the contract's compiler says where a reference stands that leads
 * elsewhere, or to a file that cannot be used.
 */
export function readContractParts(
  file: string,
  text: string,
  touched: (path: string) => void,
): ReadonlyMap<string, ContractPart> {
  const folder = dirname(file)
  const main = basename(file)
  const parts = new Map<string, ContractPart>()
  let left = MAX_TOTAL - text.length
  const pending: { readonly name: string; readonly text: string }[] = [{ name: main, text }]
  for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
    for (const reference of outwardReferences(from.text)) {
      const named = parseFileReference(reference, from.name)
      if (!named.ok || named.path === '' || named.path === main || parts.has(named.path)) continue
      // The compiler refuses what is beyond: a reference to a file that is not there is one that was not read.
      if (parts.size > MAX_PARTS) continue
      const part = parts.size === MAX_PARTS ? TOO_MANY : readPart(folder, named.path, left, touched)
      parts.set(named.path, part)
      if (!part.ok) continue
      left -= part.text.length
      pending.push({ name: named.path, text: part.text })
    }
  }
  return parts
}

const TOO_MANY: ContractPart = {
  ok: false,
  why: `is one file more than the ${MAX_PARTS} a contract may have`,
}

function readPart(
  folder: string,
  name: string,
  limit: number,
  touched: (path: string) => void,
): ContractPart {
  if (!CONTRACT_FILE.test(name)) return { ok: false, why: 'is no .yaml, .yml or .json file' }
  const path = join(folder, name)
  touched(path)
  const read = readTextFile(path, Math.max(limit, 0))
  if (!read.ok) {
    const much = `makes the contract with all its files larger than ${MAX_TOTAL / 1_048_576} MiB`
    return { ok: false, why: read.why.startsWith('is larger') ? much : read.why }
  }
  // A link may lead anywhere; its own name does not say so.
  if (!liesBelow(read.realpath, folder)) return { ok: false, why: 'leads out of the contract’s folder' }
  return { ok: true, text: read.text }
}
