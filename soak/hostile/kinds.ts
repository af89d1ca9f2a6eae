import { JSON_KINDS, MOST } from './json-kinds.ts'
import type { Sending } from './send.ts'

/** One kind of bad input, and what the gate may say of it: status and reason. */
export interface Kind {
  readonly name: string
  readonly sending: () => Sending
  readonly said: readonly string[]
}

const MIB = 1_048_576
const chunk = Buffer.alloc(65_536, 0x61)

function* repeated(part: Uint8Array, times: number, before = '', after = ''): Generator<Uint8Array> {
  if (before !== '') yield Buffer.from(before)
  for (let i = 0; i < times; i++) yield part
  if (after !== '') yield Buffer.from(after)
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const MULTIPART = { 'content-type': 'multipart/form-data; boundary=b' }
const XML = { 'content-type': 'application/xml' }
const part = (name: string, text: string): string =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`

const post = (path: string, headers: Sending['headers'], make: () => string): Kind['sending'] => {
  let made: string | undefined
  return () => {
    made ??= make()
    return { path: `/bad/${path}`, headers: headers ?? {}, body: made }
  }
}
const get =
  (path: string, headers: Sending['headers'] = {}): Kind['sending'] =>
  () => ({
    method: 'GET',
    path: `/bad/${path}`,
    headers,
  })

const STREAMS: readonly Kind[] = [
  {
    name: 'request of 1 GB, announced',
    sending: () => ({
      path: '/bad/json',
      headers: { 'content-type': 'application/json', 'content-length': String(1_024 * MIB) },
      parts: () => repeated(chunk, 16_384),
    }),
    said: ['413 body-too-large'],
  },
  {
    name: 'request of 1 GB, chunked',
    sending: () => ({
      path: '/bad/json',
      headers: { 'content-type': 'application/json' },
      parts: () => repeated(chunk, 16_384),
    }),
    said: ['413 body-too-large'],
  },
  {
    name: 'request in chunks of one byte',
    sending: () => ({
      path: '/bad/json',
      headers: { 'content-type': 'application/json' },
      parts: () => repeated(Buffer.from(' '), 20_000),
    }),
    said: ['400 body-malformed'],
  },
  {
    name: 'lines without end',
    sending: () => ({
      path: '/bad/lines',
      headers: { 'content-type': 'application/x-ndjson' },
      parts: () => repeated(Buffer.from('{"id":1}\n'.repeat(8_000)), 16_384),
    }),
    said: ['413 body-too-large'],
  },
]

const FORMS: readonly Kind[] = [
  {
    name: 'form of 100,000 pairs',
    sending: post('form', FORM, () => 'a=1&'.repeat(100_000)),
    said: ['400 body-malformed', '400 body-invalid'],
  },
  { name: 'form of escapes', sending: post('form', FORM, () => `a=${'%41'.repeat(300_000)}`), said: ['200'] },
  {
    name: 'form of names that nest',
    sending: post('form', FORM, () => `deep${'[x]'.repeat(300_000)}=1`),
    said: ['400 body-malformed', '400 field-undeclared'],
  },
  {
    name: 'multipart half sent',
    sending: () => ({
      path: '/bad/multipart',
      headers: { ...MULTIPART, 'content-length': '1000000' },
      parts: () => repeated(Buffer.from(part('a', 'x')), 20),
      breakOffMs: 20,
    }),
    said: ['broken off by the caller'],
  },
  {
    name: 'multipart without its end',
    sending: post('multipart', MULTIPART, () => part('a', 'x'.repeat(500_000))),
    said: ['400 body-malformed'],
  },
  {
    name: 'multipart sent slowly',
    sending: () => ({
      path: '/bad/multipart',
      headers: MULTIPART,
      parts: () => repeated(Buffer.from('x'), 1_000, part('a', ''), ''),
      pauseMs: 50,
    }),
    said: ['408 body-too-slow'],
  },
  {
    name: 'multipart of 10,000 parts',
    sending: post('multipart', MULTIPART, () => `${part('a', 'x').repeat(10_000)}--b--`),
    said: ['400 body-malformed'],
  },
  {
    name: 'multipart of near boundaries',
    sending: post('multipart', MULTIPART, () => `${part('a', '\r\n--'.repeat(250_000))}--b--`),
    said: ['200', '400 body-malformed'],
  },
  {
    name: 'multipart of fields',
    sending: post('multipart', MULTIPART, () => `--b\r\n${'X-A: b\r\n'.repeat(100_000)}\r\n\r\n--b--`),
    said: ['400 body-malformed'],
  },
  {
    name: 'xml billion laughs',
    sending: post('xml', XML, () => {
      const entities = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`)
      return `<!DOCTYPE doc [<!ENTITY l0 "lol">${entities.join('')}]><doc><a>&l9;</a></doc>`
    }),
    said: ['400 body-malformed'],
  },
  {
    name: 'xml 100,000 deep',
    sending: post('xml', XML, () => `<doc>${'<a>'.repeat(100_000)}`),
    said: ['400 body-malformed'],
  },
  {
    name: 'xml of attributes',
    sending: post(
      'xml',
      XML,
      () => `<doc ${Array.from({ length: 50_000 }, (_, i) => `a${i}="1"`).join(' ')}/>`,
    ),
    said: ['400 body-malformed'],
  },
  {
    name: 'xml of elements',
    sending: post('xml', XML, () => `<doc>${'<list>1</list>'.repeat(70_000)}</doc>`),
    said: ['200', '400 body-malformed'],
  },
  {
    name: 'xml of references',
    sending: post('xml', XML, () => `<doc><a>${'&#x41;'.repeat(170_000)}</a></doc>`),
    said: ['200', '400 body-malformed'],
  },
  {
    name: 'xml of spaces',
    sending: post('xml', XML, () => `<doc${' '.repeat(1_000_000)}`),
    said: ['400 body-malformed'],
  },
  {
    name: 'xml of comments',
    sending: post('xml', XML, () => `<doc>${'<!---->'.repeat(140_000)}</doc>`),
    said: ['200', '400 body-malformed'],
  },
  {
    name: 'text by a greedy pattern',
    sending: post('text', { 'content-type': 'text/plain' }, () => `${'a'.repeat(MOST)}!`),
    said: ['400 body-invalid'],
  },
  {
    name: 'lines, 100,000 of them',
    sending: post('lines', { 'content-type': 'application/x-ndjson' }, () => '{"id":1}\n'.repeat(100_000)),
    said: ['400 body-malformed'],
  },
]

const HEADS: readonly Kind[] = [
  {
    name: 'query of 10,000 pairs',
    sending: get(`search?${'n=1&'.repeat(10_000)}`),
    said: ['431 head-too-large', '400 target-invalid', 'closed'],
  },
  {
    name: 'query of 1,900 pairs',
    sending: get(`search?${'n=1&'.repeat(1_900)}`),
    said: ['400 target-invalid', '400 parameter-invalid'],
  },
  {
    name: 'query deep object',
    sending: get(`search?f${'[a]'.repeat(2_000)}=1`),
    said: ['400 parameter-undeclared', '400 parameter-invalid'],
  },
  {
    name: 'query of deep objects',
    sending: get(`search?${Array.from({ length: 250 }, (_, i) => `f[${i}]=1`).join('&')}`),
    said: ['200', '400 parameter-invalid'],
  },
  {
    name: 'query by a greedy pattern',
    sending: get(`search?q=${'a'.repeat(7_000)}!`),
    said: ['400 parameter-invalid'],
  },
  {
    name: 'query of pipes',
    sending: get(`search?pipe=${'1|'.repeat(3_500)}1`),
    said: ['400 parameter-invalid'],
  },
  {
    name: 'query of deep JSON',
    sending: get(`search?filter=${'%5B'.repeat(2_000)}`),
    said: ['400 parameter-invalid'],
  },
  {
    name: 'cookies, 1,000 of them',
    sending: get('search', { cookie: Array.from({ length: 1_000 }, (_, i) => `c${i}=1`).join('; ') }),
    said: ['400 parameter-invalid', '200', '431 head-too-large'],
  },
  {
    name: 'cookies, one name',
    sending: get('search', { cookie: 'sid=1; '.repeat(900) }),
    said: ['400 parameter-repeated', '400 parameter-invalid'],
  },
  {
    name: 'fields, 500 of them',
    sending: get('search', Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-${i}`, '1']))),
    said: ['431 head-too-large'],
  },
]

const answers = (name: string, path: string, said: readonly string[]): Kind => ({
  name: `answer ${name}`,
  sending: () => ({ method: 'GET', path: `/bad/answers/${path}`, headers: {}, enough: 2 * MIB }),
  said,
})

const ANSWERS: readonly Kind[] = [
  answers('of 1 GB, JSON', 'json?kind=endless', ['502 response-too-large']),
  answers('deep', 'json?kind=deep', ['502 response-invalid', '502 response-malformed']),
  answers('that is a bomb', 'json?kind=bomb', ['502 response-too-large']),
  answers('of 60,000 undeclared fields', 'json?kind=undeclared', ['200']),
  answers('of 1 GB, text', 'text?kind=endless', ['502 response-too-large']),
  answers('of 1 GB, binary', 'binary?kind=endless', ['200 going on']),
  answers('of lines of 10 MB', 'lines?kind=large', ['200 broken off', 'closed']),
  answers('of lines without end', 'lines?kind=endless', ['200 going on']),
  answers('of events of 10 MB', 'events?kind=large', ['200 broken off', 'closed']),
  answers('of events without end', 'events?kind=endless', ['200 going on']),
]

const graph = (name: string, query: () => string, said: readonly string[], variables?: unknown): Kind => {
  let made: string | undefined
  return {
    name: `graphql ${name}`,
    sending: () => {
      made ??= JSON.stringify({ query: query(), ...(variables === undefined ? {} : { variables }) })
      return { path: '/graph/graphql', headers: { 'content-type': 'application/json' }, body: made }
    },
    said,
  }
}

const nested = (of: string, times: number, inner: string): string =>
  `${of.repeat(times)}${inner}${'}'.repeat(times)}`

const GRAPHS: readonly Kind[] = [
  graph('aliases', () => `{${Array.from({ length: 10_000 }, (_, i) => `a${i}:me{id}`).join(' ')}}`, [
    '400 graphql-limit',
    '400 graphql-limit',
  ]),
  graph('depth', () => `{me${nested('{friends', 10_000, '{id}')}}`, [
    '400 graphql-limit',
    '400 graphql-limit',
  ]),
  graph('fragments', () => {
    const spread = Array.from(
      { length: 40 },
      (_, i) => `fragment F${i} on User{friends{...F${i + 1} ...F${i + 1}}}`,
    )
    return `{me{...F0}} ${spread.join(' ')} fragment F40 on User{id}`
  }, ['400 graphql-limit']),
  graph('a ring of fragments', () => '{me{...A}} fragment A on User{...B} fragment B on User{...A}', [
    '400 graphql-document-invalid',
  ]),
  graph('fields that merge', () => `{me{${'friends{id name} '.repeat(400)}}}`, ['400 graphql-limit']),
  graph('directives', () => `{me{id ${'@include(if:true)'.repeat(10_000)}}}`, ['400 graphql-limit']),
  graph('a string', () => `{users(filter:{ids:["${'a'.repeat(240_000)}"]}){id}}`, ['200']),
  graph(
    'deep variables',
    () => 'query($f:Filter){users(filter:$f){id}}',
    ['400 graphql-limit'],
    JSON.parse(`{"f":${'{"not":'.repeat(60)}{}${'}'.repeat(60)}}`),
  ),
]

export const KINDS: readonly Kind[] = [...JSON_KINDS, ...STREAMS, ...FORMS, ...HEADS, ...ANSWERS, ...GRAPHS]
