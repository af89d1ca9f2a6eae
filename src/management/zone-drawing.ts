import { type GraphFlow, type GraphZone, membersOf, type ZoneGraph } from './zone-graph.ts'

/**
 * The zones as an SVG 1.1 drawing: a box for each, one below the other, with its members and APIs; to the right a
 * numbered arrow for each pair of zones that flows connect, and what each lets through. The same graph gives the same
 * bytes. It holds no script and refers to nothing outside.
 */

const WIDTH = 340
const LEFT = 24
const TOP = 64
const LINE = 18
const GAP = 36
/** Of the arrows' lanes, to the right of the boxes. */
const LANE = 26
const CHAR = 7.2
const MAX_LABEL = 64
const MAX_LINES = 12
const BLUE = '#1d4ed8'
const TITLE = 'Trust zones and the calls that flows allow'

interface Box {
  readonly zone: GraphZone
  readonly y: number
  readonly height: number
  readonly lines: readonly Line[]
}

interface Line {
  readonly text: string
  readonly kind: 'who' | 'api'
}

export function zoneDrawing({ zones, flows }: ZoneGraph): string {
  const boxes = stack(zones)
  const right = LEFT + WIDTH
  const entries = entriesOf(flows, right + LANE * (flows.length + 1) + LEFT)
  const ports = portsOf(boxes, flows)
  const lane = (index: number): number => right + LANE * (index + 1)
  const arrows = ports.map(({ from, to }, index) => arrow(right, lane(index), from, to))
  // Above all arrows: none runs through a number.
  const numbers = ports.map(({ from, to }, index) =>
    badge(lane(index), Math.round((from + to) / 2), index + 1),
  )
  const lowest = boxes.at(-1)
  const bottom = Math.max(lowest === undefined ? TOP : lowest.y + lowest.height, entries.bottom)
  const [width, height] = [entries.right, bottom + 74]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${TITLE}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">`,
    `<title>${TITLE}</title>`,
    `<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z" fill="${BLUE}"/></marker></defs>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(LEFT, 34, TITLE, 'font-size="16" font-weight="bold"'),
    ...boxes.map(drawn),
    ...arrows,
    ...numbers,
    ...entries.parts,
    ...legend(bottom + 34),
    '</svg>',
    '',
  ].join('\n')
}

/** Where each flow leaves its zone's box and enters the other's: spread over their heights. */
function portsOf(
  boxes: readonly Box[],
  flows: readonly GraphFlow[],
): readonly { readonly from: number; readonly to: number }[] {
  const ends = flows.flatMap(({ from, to }) => [from, to])
  const used = new Map<string, number>()
  const port = (name: string): number => {
    const box = boxes.find(({ zone }) => zone.name === name)
    const index = (used.get(name) ?? 0) + 1
    used.set(name, index)
    const all = ends.filter((end) => end === name).length
    return Math.round((box?.y ?? 0) + ((box?.height ?? 0) * index) / (all + 1))
  }
  return flows.map(({ from, to }) => ({ from: port(from), to: port(to) }))
}

/** The list beside the arrows: what each number lets through. */
function entriesOf(
  flows: readonly GraphFlow[],
  x: number,
): { readonly parts: readonly string[]; readonly right: number; readonly bottom: number } {
  const parts: string[] = []
  let y = TOP + 14
  let longest = 24
  flows.forEach(({ from, to, operations }, index) => {
    const head = `${from} → ${to}`
    const what = operations.length === 0 ? ['everything'] : shortened(operations)
    parts.push(badge(x + 9, y - 4, index + 1), text(x + 28, y, head, 'font-weight="bold"'))
    for (const [line, name] of what.entries())
      parts.push(text(x + 28, y + LINE * (line + 1), cut(name, MAX_LABEL), 'fill="#475569"'))
    longest = Math.max(longest, head.length, ...what.map((name) => Math.min(name.length, MAX_LABEL)))
    y += LINE * (what.length + 1) + 14
  })
  return { parts, right: Math.ceil(x + 28 + CHAR * longest + LEFT), bottom: y - LINE }
}

function stack(zones: readonly GraphZone[]): readonly Box[] {
  const boxes: Box[] = []
  let y = TOP
  for (const zone of zones) {
    const lines = linesOf(zone)
    const height = 34 + LINE * Math.max(1, lines.length) + 8
    boxes.push({ zone, y, height, lines })
    y += height + GAP
  }
  return boxes
}

function linesOf(zone: GraphZone): readonly Line[] {
  const members = membersOf(zone)
  const who = members.length === 0 ? ['nobody calls from here'] : shortened(members)
  const apis = shortened(
    zone.apis.map(({ name, mode, observed }) => `${name} (${observed ? 'observed' : mode})`),
  )
  return [
    ...who.map((line) => ({ text: line, kind: 'who' as const })),
    ...apis.map((line) => ({ text: line, kind: 'api' as const })),
  ]
}

function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= MAX_LINES) return lines
  return [...lines.slice(0, MAX_LINES - 1), `and ${lines.length - MAX_LINES + 1} more`]
}

function drawn({ zone, y, height, lines }: Box): string {
  const parts = [
    `<rect x="${LEFT}" y="${y}" width="${WIDTH}" height="${height}" rx="8" fill="#f8fafc" stroke="#334155"/>`,
    text(LEFT + 14, y + 22, zone.name, 'font-size="14" font-weight="bold"'),
  ]
  const fits = Math.floor((WIDTH - 44) / CHAR)
  lines.forEach((line, index) => {
    const at = y + 34 + LINE * (index + 1) - 6
    if (line.kind === 'api')
      parts.push(`<rect x="${LEFT + 14}" y="${at - 9}" width="10" height="10" rx="2" fill="${BLUE}"/>`)
    const fill = line.kind === 'api' ? '#0f172a' : '#475569'
    parts.push(text(LEFT + 30, at, cut(line.text, fits), `fill="${fill}"`))
  })
  return parts.join('\n')
}

function arrow(right: number, lane: number, from: number, to: number): string {
  return [
    `<path d="M${right} ${from}H${lane}V${to}H${right + 3}" fill="none" stroke="${BLUE}" stroke-width="1.5" marker-end="url(#head)"/>`,
    `<circle cx="${right}" cy="${from}" r="3" fill="${BLUE}"/>`,
  ].join('\n')
}

function badge(x: number, y: number, number: number): string {
  return `<circle cx="${x}" cy="${y}" r="9" fill="#ffffff" stroke="${BLUE}"/>${text(x, y + 4, String(number), `text-anchor="middle" font-size="11" fill="${BLUE}"`)}`
}

function legend(y: number): readonly string[] {
  return [
    text(LEFT, y, 'box: zone, with who is in it', 'fill="#475569"'),
    `<rect x="${LEFT + 240}" y="${y - 9}" width="10" height="10" rx="2" fill="${BLUE}"/>`,
    text(LEFT + 256, y, 'API in the zone', 'fill="#475569"'),
    text(
      LEFT,
      y + 20,
      'arrow: calls from where the dot is to where it points; all others are denied as lateral-movement',
      'fill="#475569"',
    ),
  ]
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`
}

/** In the middle: names of workloads begin alike, and differ at the end. */
function cut(content: string, length: number): string {
  const characters = [...content]
  if (characters.length <= length) return content
  const end = Math.floor((length - 1) / 2)
  return `${characters.slice(0, length - 1 - end).join('')}…${characters.slice(-end).join('')}`
}

/** XML 1.0 §2.2 and §2.4: markup is escaped, characters that no document may hold are shown as a dot. */
function escaped(content: string): string {
  return content
    .replaceAll(/[\p{C}]/gu, '·')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
