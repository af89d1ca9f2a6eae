import * as cedar from '@cedar-policy/cedar-wasm/nodejs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { cedarString, oneLine, yamlText } from './literal.ts'

const TEXTS = [
  'shop.getOrder',
  'shop.GET /orders/{orderId}',
  'http://127.0.0.1:3000/v1',
  './shop.openapi.yaml',
  'orders:read',
  'a: b',
  'a #b',
  "it's",
  '"quoted" \\ back',
  '{a}',
  '[x',
  '*alias',
  '- item',
  'true',
  'No',
  'null',
  '1e3',
  '2026-01-01',
  '.5',
  '...',
  '---',
  '',
  'line\nbreak',
  'carriage\rreturn',
  'next\u0085line',
  'line\u2028separator',
  'tab\there',
  'right\u202eto left',
  'größe 宠物 😀',
  'nul\0',
]

describe('names written into other languages', () => {
  test.each(TEXTS)('YAML reads %j back, in block and flow style', (text) => {
    const written = yamlText(text)
    expect(written).not.toMatch(/[\n\r\u0085\u2028\u2029]/)
    expect(parse(`key: ${written}`)).toEqual({ key: text })
    expect(parse(`{ key: [${written}, ${written}] }`)).toEqual({ key: [text, text] })
  })

  test.each(TEXTS)('Cedar reads %j back', (text) => {
    const written = cedarString(text)
    expect(written).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
    const answer = cedar.policyToJson(`permit(principal, action == Action::${written}, resource);`)
    expect(answer).toMatchObject({ json: { action: { entity: { type: 'Action', id: text } } } })
  })

  test('a comment stays one line, whatever it holds', () => {
    expect(oneLine('a\n}; permit(principal, action, resource);\u2028b\u0000')).toBe(
      'a }; permit(principal, action, resource); b',
    )
    expect(oneLine('x'.repeat(300))).toHaveLength(200)
  })
})
