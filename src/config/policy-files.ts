import type { PolicyLink } from '../model/policy-link.ts'
import { readDocument, shown } from './document.ts'
import { readFolder, readTextFile } from './files.ts'
import type { Findings, Source } from './findings.ts'
import type { Segments } from './place.ts'
import { isLinksFile, readPolicyLinks } from './policy-links.ts'

/**
 * The folder of policies: `*.cedar`, links of their templates `*.links.json` and their tests `*.test.yaml`, by name, at
 * most two levels down.
 */

const MAX_TOTAL_BYTES = 10 * 1_048_576
const MAX_TEST_BYTES = 1_048_576
const MAX_LINKS_BYTES = 1_048_576
const MAX_ENTRIES = 5000
const MAX_LEVELS = 2

export interface PolicyFile {
  readonly file: string
  readonly text: string
}

export interface PolicyTestFile extends PolicyFile {
  /** The YAML as plain data, not yet checked for its form. */
  readonly data: unknown
}

export interface PolicyFolder {
  readonly policies: readonly PolicyFile[]
  readonly policyLinks: readonly PolicyLink[]
  readonly policyTests: readonly PolicyTestFile[]
}

/** `main` names the folder, at `at`: problems of reading stand there, broken YAML where it is. */
export function readPolicyFolder(
  folder: string,
  main: Source,
  findings: Findings,
  at: Segments = ['policies'],
): PolicyFolder {
  const policies: PolicyFile[] = []
  const policyLinks: PolicyLink[] = []
  const policyTests: PolicyTestFile[] = []
  const visited = new Set<string>()
  let left = MAX_TOTAL_BYTES

  const visit = (path: string, level: number): void => {
    if (left < 0) return
    findings.touchedFolder(path)
    const listed = readFolder(path, MAX_ENTRIES)
    if (!listed.ok) {
      const hint = listed.missing ? 'Make the folder, or leave policies out.' : ''
      findings.problem(main, at, `the folder ${shown(path, 512)} ${listed.why}`, hint)
      return
    }
    // A link may lead back up: every real folder is read once.
    if (visited.has(listed.realpath)) return
    visited.add(listed.realpath)
    if (level > MAX_LEVELS) {
      // Left out in silence, a forbid in it would be lost.
      const hint = 'Policies lie at most two levels deep.'
      findings.problem(main, at, `the folder ${shown(path, 512)} lies too deep`, hint)
      return
    }
    for (const entry of listed.entries) {
      if (entry.kind === 'folder') {
        visit(entry.path, level + 1)
        continue
      }
      const isTest = /\.test\.ya?ml$/.test(entry.name)
      const isLinks = isLinksFile(entry.name)
      if (!isTest && !isLinks && !entry.name.endsWith('.cedar')) continue
      findings.touchedFile(entry.path)
      const read = readTextFile(
        entry.path,
        isTest ? MAX_TEST_BYTES : isLinks ? MAX_LINKS_BYTES : MAX_TOTAL_BYTES,
      )
      if (!read.ok) {
        findings.problem(main, at, `the file ${shown(entry.path, 512)} ${read.why}`, '')
        continue
      }
      if (visited.has(read.realpath)) continue
      visited.add(read.realpath)
      left -= Buffer.byteLength(read.text)
      if (isTest) {
        const document = readDocument(entry.path, read.text)
        if (document.ok) policyTests.push({ file: entry.path, text: read.text, data: document.value })
        else findings.add(document.problems)
      } else if (isLinks) policyLinks.push(...readPolicyLinks(entry.path, read.text, findings))
      else policies.push({ file: entry.path, text: read.text })
      if (left < 0) {
        findings.problem(main, at, 'the folder holds more than 10 MiB of policies and tests', '')
        return
      }
    }
  }
  visit(folder, 0)
  return { policies, policyLinks, policyTests }
}
