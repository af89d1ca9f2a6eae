import { z } from 'zod'
import type { LinkPlace, PolicyLink, Slot } from '../model/policy-link.ts'
import { readDocument } from './document.ts'
import type { Findings, Source } from './findings.ts'
import { schemaFindings } from './issues.ts'
import { locator, type Segments } from './place.ts'

/** Links of policy templates in the form Cedar's own command line reads: a list, a link each. */

const linksSchema = z
  .array(
    z.strictObject({
      template_id: z.string().describe('The template’s `@id`'),
      link_id: z.string().describe('What records, tests and explanations call the linked policy'),
      args: z
        .strictObject({
          '?principal': z.string().optional().describe('Write an entity as in Cedar, User::"corp/ana"'),
          '?resource': z.string().optional().describe('Write an entity as in Cedar, User::"corp/ana"'),
        })
        .describe('The entities that fill the template’s slots'),
    }),
  )
  .describe('Links of policy templates')

/** `links.json`, `staff.links.yaml`. */
export function isLinksFile(name: string): boolean {
  return /(?:^|\.)links\.(?:json|ya?ml)$/.test(name)
}

/** The links of one file; empty where it is not in form, which is then among the findings. */
export function readPolicyLinks(file: string, text: string, findings: Findings): readonly PolicyLink[] {
  const document = readDocument(file, text)
  if (!document.ok) {
    findings.add(document.problems)
    return []
  }
  const source: Source = { file, text, base: [] }
  const parsed = linksSchema.safeParse(document.value)
  if (!parsed.success) {
    for (const { segments, at, message, hint } of schemaFindings(parsed.error, linksSchema, document.value))
      findings.problem(source, segments, message, hint, at)
    return []
  }
  if (parsed.data.length === 0) return []
  const locate = locator(text)
  const place = (segments: Segments): LinkPlace => locate(segments, 'value')
  return parsed.data.map(({ template_id: template, link_id: id, args }, index) => {
    const texts: Partial<Record<Slot, string>> = {}
    const places: Partial<Record<Slot, LinkPlace>> = {}
    for (const slot of ['?principal', '?resource'] as const) {
      const text = args[slot]
      if (text === undefined) continue
      texts[slot] = text
      places[slot] = place([index, 'args', slot])
    }
    const at = {
      link: place([index]),
      template: place([index, 'template_id']),
      id: place([index, 'link_id']),
      args: places,
    }
    return { template, id, args: texts, file, at }
  })
}
