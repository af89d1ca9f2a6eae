import { basename, dirname, isAbsolute, join } from 'node:path'
import { type ApiSettings, apiFile } from './api-schema.ts'
import { readDocument, shown } from './document.ts'
import { readFolder, readTextFile } from './files.ts'
import type { Findings, Source } from './findings.ts'
import { NAME_PATTERN } from './forms.ts'
import { schemaFindings } from './issues.ts'

/** `apis: ./apis/*.yaml`: files of one API each, so that a repository owns its part. */

const MAX_FILE_BYTES = 1_048_576
const MAX_FILES = 1000

export interface FoundApi {
  readonly name: string
  readonly settings: ApiSettings
  readonly source: Source
}

/** `main` is the file that holds the patterns, at `apis`; problems are reported, what is usable is returned. */
export function readApiFiles(
  patterns: string | readonly string[],
  main: Source,
  findings: Findings,
): FoundApi[] {
  const found: FoundApi[] = []
  const taken = new Map<string, string>()
  const list = typeof patterns === 'string' ? [patterns] : patterns
  for (const [index, pattern] of list.entries()) {
    const place = typeof patterns === 'string' ? ['apis'] : ['apis', index]
    const listed = expand(beside(main.file, pattern), findings)
    if (typeof listed === 'string') {
      findings.problem(main, place, listed, 'Name files of one API each, for example ./apis/*.yaml.')
      continue
    }
    for (const file of listed) {
      if ([...taken.values()].includes(file)) continue
      const read = readTextFile(file, MAX_FILE_BYTES)
      findings.touchedFile(file)
      if (!read.ok) {
        findings.problem(main, place, `the API’s file ${shown(file, 512)} ${read.why}`, '')
        continue
      }
      const api = readApiFile(file, read.text, findings)
      if (api === null) continue
      const other = taken.get(api.name)
      if (other !== undefined) {
        findings.problem(
          api.source,
          ['name'],
          `the name "${api.name}" is taken by ${shown(other, 512)}`,
          'Give it another name:.',
        )
        continue
      }
      taken.set(api.name, file)
      found.push(api)
    }
  }
  return found
}

function readApiFile(file: string, text: string, findings: Findings): FoundApi | null {
  const source: Source = { file, text, base: [] }
  const document = readDocument(file, text)
  if (!document.ok) {
    findings.add(document.problems)
    return null
  }
  const parsed = apiFile.safeParse(document.value)
  if (!parsed.success) {
    for (const { segments, at, message, hint } of schemaFindings(parsed.error, apiFile, document.value)) {
      findings.problem(source, segments, message, hint, at)
    }
    return null
  }
  const { name = basename(file).replace(/\.[^.]*$/, ''), ...settings } = parsed.data
  if (!NAME_PATTERN.test(name)) {
    findings.problem(
      source,
      [],
      'the file’s name cannot be the API’s name',
      'Add name: with lower-case letters, digits and hyphens.',
    )
    return null
  }
  return { name, settings, source }
}

/** The files a pattern means, sorted; only the last part may hold `*` and `?`. A text says what is wrong. */
function expand(pattern: string, findings: Findings): readonly string[] | string {
  if (pattern.includes('\0')) return 'must not contain a NUL character'
  const last = basename(pattern)
  const folder = dirname(pattern)
  if (/[*?]/.test(folder)) return 'may hold * and ? in the file name only'
  if (!/[*?]/.test(last)) return [pattern]
  findings.touchedFolder(folder)
  const read = readFolder(folder, MAX_FILES)
  if (!read.ok) return `the folder ${shown(folder, 512)} ${read.why}`
  const files = read.entries
    .filter(({ kind, name }) => kind !== 'folder' && matches(last, name))
    .map(({ path }) => path)
  return files.length === 0 ? `no file fits ${shown(pattern, 512)}` : files
}

/** `*` any run, `?` any one character; linear, going back to the last star only. */
function matches(pattern: string, name: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  let index = 0
  while (index < name.length) {
    if (pattern[at] === '*') {
      star = at++
      resume = index
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[index])) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}

/** A path as named in a file, seen from where that file was named. */
export function beside(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path)
}
