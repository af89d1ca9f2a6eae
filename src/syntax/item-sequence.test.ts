import { describe, expect, it } from 'vitest'
import { type Framing, frameItem, type SequenceItem, SequenceSplitter } from './item-sequence.ts'

function split(framing: Framing, text: string, size: number): (string | null)[] {
  const splitter = new SequenceSplitter(framing, 64)
  const bytes = Buffer.from(text)
  const items: SequenceItem[] = []
  for (let at = 0; at < bytes.length; at += size) {
    const part = splitter.push(bytes.subarray(at, at + size))
    if (!part.ok) return ['too large']
    items.push(...part.items)
  }
  const last = splitter.end()
  if (!last.ok) return ['too large']
  return [...items, ...last.items].map((item) =>
    item.broken ? 'broken' : frameItem(framing, item, item.text),
  )
}

describe('items are the same however they are cut', () => {
  it.each([
    ['lines', '{"a":1}\n\r\n{"b":2}\r\n[3]', ['{"a":1}\n', '{"b":2}\n', '[3]\n']],
    ['lines', '', []],
    ['lines', `{"a":"${'x'.repeat(80)}"}\n`, ['too large']],
    ['lines', 'x'.repeat(70), ['too large']],
    ['records', '\u001e{"a":1}\n\u001e{"b":\n2}\n', ['\u001e{"a":1}\n', '\u001e{"b":\n2}\n']],
    ['records', '{"a":1}\n\u001e[2]\n\u001e\u001e3\n', ['broken', '\u001e[2]\n', '\u001e3\n']],
    ['records', '\u001e12\u001e34', ['broken', 'broken']],
    ['events', 'data: {"a":1}\n\n', ['data: {"a":1}\n\n']],
    ['events', '\uFEFFdata: {"a":1}\n\ndata: {"b":2}\n\n', ['data: {"a":1}\n\n', 'data: {"b":2}\n\n']],
    [
      'events',
      'event:x\r\nid: 7\r\nretry: 9\r\ndata: {\r\ndata: "a":1}\r\n\r\n',
      ['event: x\nid: 7\nretry: 9\ndata: {\ndata: "a":1}\n\n'],
    ],
    ['events', 'data:1\r\rdata:2\r\n\r\n', ['data: 1\n\n', 'data: 2\n\n']],
    ['events', ': secret\nother: secret\n\nid: 3\n\n', [':\n\n', 'id: 3\n\n']],
    ['events', 'data: 1\n\ndata: not ended\n', ['data: 1\n\n']],
    ['events', '\n\n\ndata: 1\n\n', ['data: 1\n\n']],
  ] as const)('%s %j', (framing, text, expected) => {
    for (const size of [1, 2, 3, 5, 1_000])
      expect([size, split(framing, text, size)]).toEqual([size, expected])
  })

  it('bytes that are no UTF-8 are no event', () => {
    const splitter = new SequenceSplitter('events', 64)
    expect(splitter.push(Buffer.from('data: \xff\n\n', 'latin1'))).toMatchObject({
      items: [{ broken: true }],
    })
  })
})

it('holds an item that comes a byte at a time without copying all of it each time', () => {
  const splitter = new SequenceSplitter('lines', 400_000)
  const text = Buffer.from(`"${'x'.repeat(300_000)}"\n{"b":2}\n`)
  const items: string[] = []
  for (let at = 0; at < text.length; at++) {
    const part = splitter.push(text.subarray(at, at + 1))
    if (!part.ok) throw new Error('too large')
    items.push(...part.items.map((item) => String(item.text?.byteLength)))
  }
  expect(items).toEqual(['300002', '7'])
})
