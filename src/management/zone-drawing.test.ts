import { describe, expect, it } from 'vitest'
import { zoneDrawing } from './zone-drawing.ts'
import { graphText, type ZoneGraph } from './zone-graph.ts'

const GRAPH: ZoneGraph = {
  zones: [
    { name: 'edge', networks: ['0.0.0.0/0'], clients: [], workloads: [], apis: [] },
    {
      name: 'payments',
      networks: ['office'],
      clients: ['corp/batch'],
      workloads: [],
      apis: [{ name: 'pay', mode: 'enforce', observed: false }],
    },
    {
      name: 'lost',
      networks: [],
      clients: [],
      workloads: [],
      apis: [{ name: 'old', mode: 'observe', observed: true }],
    },
  ],
  flows: [
    { from: 'edge', to: 'payments', operations: ['pay.get', 'pay/read'] },
    { from: 'payments', to: 'payments', operations: [] },
  ],
}

/** Every tag is closed in order, every attribute quoted, and no reference but the five of XML stands in it. */
function isWellFormed(xml: string): boolean {
  const open: string[] = []
  const body = xml.replace(/^<\?xml [^?]*\?>\n/, '')
  for (const [tag, close, name = '', own] of body.matchAll(
    /<(\/?)([a-z]+)(?: [a-zA-Z:-]+="[^"<>]*")*(\/?)>/g,
  )) {
    if (close === '/') {
      if (open.pop() !== name) return false
    } else if (own !== '/') open.push(name)
    if (tag === '') return false
  }
  const rest = body.replaceAll(/<\/?[a-z]+(?: [a-zA-Z:-]+="[^"<>]*")*\/?>/g, '')
  return open.length === 0 && !/[<>]|&(?!(?:amp|lt|gt|quot);)/.test(rest)
}

describe('zones as text', () => {
  it('say who is in them, what stands in them and what may call it', () => {
    expect(graphText(GRAPH)).toEqual([
      '[edge]',
      '  who   network 0.0.0.0/0',
      '',
      '[payments]',
      '  who   client corp/batch',
      '  who   and only from office',
      '  api   pay (enforce)',
      '  <---  edge: pay.get, pay/read',
      '  <---  payments: everything',
      '',
      '[lost]',
      '  who   nobody',
      '  api   old (observe)',
      '  <---  nothing: every call is denied',
    ])
  })
})

describe('zones as a drawing', () => {
  it('is well-formed, with a box a zone and an arrow a flow', () => {
    const drawing = zoneDrawing(GRAPH)
    expect(isWellFormed(drawing)).toBe(true)
    expect(drawing.match(/marker-end=/g)).toHaveLength(2)
    for (const { name } of GRAPH.zones) expect(drawing).toContain(`>${name}</text>`)
    expect(drawing).toContain('>edge → payments</text>')
    expect(drawing).toContain('>pay/read</text>')
  })

  it('is the same for the same zones', () => {
    expect(zoneDrawing(structuredClone(GRAPH))).toBe(zoneDrawing(GRAPH))
  })

  it('cuts long names in the middle, so that workloads stay apart', () => {
    const zone = GRAPH.zones[0]
    const workloads = ['one', 'two'].map((end) => `spiffe://example/ns/fleet/${'x'.repeat(80)}/sa/${end}`)
    const drawing = zoneDrawing({ zones: zone === undefined ? [] : [{ ...zone, workloads }], flows: [] })
    for (const end of ['one', 'two'])
      expect(drawing).toMatch(new RegExp(`spiffe://ex[^<]*…x*/sa/${end}</text>`))
  })

  it('escapes what a name may hold', () => {
    const hostile = '<script>alert("&")</script>\u0000\u2028\ud800'
    const zone = { name: hostile, networks: [hostile], clients: [], workloads: [], apis: [] }
    const drawing = zoneDrawing({
      zones: [zone],
      flows: [{ from: hostile, to: hostile, operations: [hostile] }],
    })
    expect(isWellFormed(drawing)).toBe(true)
    expect(drawing).not.toContain('<script')
  })

  it('stays bounded for many members and flows, and is one of none', () => {
    const members = Array.from({ length: 500 }, (_, index) => `corp/client-${index}`)
    const zones = [{ name: 'a', networks: [], clients: members, workloads: [], apis: [] }]
    const operations = members.map((name) => `pay.${name}`)
    const drawing = zoneDrawing({ zones, flows: [{ from: 'a', to: 'a', operations }] })
    expect(drawing.length).toBeLessThan(20_000)
    expect(drawing).toContain('and 489 more')
    expect(isWellFormed(zoneDrawing({ zones: [], flows: [] }))).toBe(true)
  })
})
