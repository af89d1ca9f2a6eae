import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RepeatedDecisions } from './repeated-decisions.ts'

const LINE = '{"v":1,"id":"a","decisions":[{"effect":"allow","reasons":[]}],"request":{"bytes":0},"c":"0"}'

/** As the reader takes it: null falls back to the whole. */
function parsed(text: string, decisions = new RepeatedDecisions()): unknown {
  try {
    return decisions.parse(text) ?? JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return 'no JSON'
    throw error
  }
}

function whole(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return 'no JSON'
  }
}

test('equal decisions are parsed once and shared', () => {
  const decisions = new RepeatedDecisions()
  const first = decisions.parse(LINE)
  const second = decisions.parse(LINE.replace('"a"', '"b"'))
  expect(first).toEqual(JSON.parse(LINE))
  expect(second).toEqual({ ...JSON.parse(LINE), id: 'b' })
  expect(second?.['decisions']).toBe(first?.['decisions'])
})

test.each([
  ['decisions below another member', '{"a":{"x":1,"decisions":[1],"request":2}}'],
  [
    'decisions stated twice, the second elsewhere in the line',
    `${LINE.slice(0, -1)},"decisions":[2],"request":1}`,
  ],
  ['decisions stated twice, first as something else', '{"v":1,"decisions":0,"decisions":[2],"request":1}'],
  ['a cut in the middle of the list', '{"v":1,"decisions":[{"a":[1],"request":2}],"request":1}'],
  ['an end that is none', '{"v":1,"decisions":[1,"],","request":2]}'],
  [
    'texts that hold the marks',
    '{"v":1,"a":",decisions:[","decisions":["],upstreamStatus:"],"upstreamStatus":1}',
  ],
  ['an escaped mark', '{"v":1,"a":"\\",\\"decisions\\":[","decisions":[1],"request":1}'],
  ['an escaped name', '{"v":1,"\\u0064ecisions":[3],"decisions":[1],"request":1,"\\u0064ecisions":[4]}'],
  ['a member of a special name', '{"v":1,"decisions":[{"__proto__":[1]}],"request":1,"__proto__":{"x":1}}'],
  ['no JSON', '{"v":1,"decisions":[1,],"request":1}'],
  ['an open text', '{"v":"1,"decisions":[1],"request":1}'],
  ['a list', '[1,"decisions":[1],"request":1]'],
])('%s: what JSON.parse makes of the line', (_, text) => {
  expect(parsed(text)).toEqual(whole(text))
})

test('whatever the line, what JSON.parse makes of it', () => {
  const piece = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"v":1',
      '"decisions":',
      ',"decisions":[',
      '],"request":',
      '0',
      '\\',
    ],
    '],"upstreamStatus":',
    '"a"',
  )
  const decisions = new RepeatedDecisions()
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), fc.boolean(), (pieces, framed) => {
      const text = framed ? `{"v":1,"decisions":[${pieces.join('')}],"request":1}` : pieces.join('')
      expect(parsed(text, decisions)).toEqual(whole(text))
    }),
    { numRuns: 3_000 },
  )
})

test('holds a bounded number of texts', () => {
  const decisions = new RepeatedDecisions()
  for (let i = 0; i < 2_000; i++) {
    const text = LINE.replace('allow', `e${i}`)
    expect(decisions.parse(text)).toEqual(JSON.parse(text))
  }
})
