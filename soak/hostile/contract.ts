/** A contract that has what hostile callers look for, as JSON; the paths lie below `/bad`. */
export function hostileContract(): string {
  const body = (type: string, schema: unknown, more: object = {}): object => ({
    requestBody: { required: true, content: { [type]: { schema, ...more } } },
  })
  const operation = (id: string, more: object): object => ({
    operationId: id,
    security: [],
    responses: {
      '200': { description: 'x', content: json({ type: 'object', properties: { ok: { type: 'boolean' } } }) },
    },
    ...more,
  })
  const answer = (id: string, content: object): object => ({
    get: operation(id, {
      parameters: [{ name: 'kind', in: 'query', schema: { type: 'string', maxLength: 32 } }],
      responses: { '200': { description: 'x', content } },
    }),
  })
  const post = (id: string, more: object): object => ({ post: operation(id, more) })
  const item = { type: 'object', properties: { id: { type: 'integer' }, text: { type: 'string' } } }
  return JSON.stringify({
    openapi: '3.2.0',
    info: { title: 'hostile', version: '1.0.0' },
    servers: [{ url: '/bad' }],
    paths: {
      '/json': post('postJson', body('application/json', { $ref: '#/components/schemas/Doc' })),
      '/form': post('postForm', body('application/x-www-form-urlencoded', FORM)),
      '/multipart': post('postMultipart', body('multipart/form-data', FORM)),
      '/xml': post(
        'postXml',
        body('application/xml', { type: 'object', xml: { name: 'doc' }, properties: FORM.properties }),
      ),
      '/text': post('postText', body('text/plain', { type: 'string', pattern: '^(a+)+$' })),
      '/lines': post('postLines', {
        requestBody: { required: true, content: { 'application/x-ndjson': { itemSchema: item } } },
      }),
      '/search': { get: operation('search', { parameters: PARAMETERS }) },
      '/answers/json': answer('answerJson', json({ type: 'array', items: item })),
      '/answers/text': answer('answerText', { 'text/plain': { schema: { type: 'string', maxLength: 100 } } }),
      '/answers/binary': answer('answerBinary', { 'application/octet-stream': {} }),
      '/answers/lines': answer('answerLines', { 'application/x-ndjson': { itemSchema: item } }),
      '/answers/events': answer('answerEvents', {
        'text/event-stream': {
          itemSchema: {
            type: 'object',
            properties: {
              data: { type: 'string', contentMediaType: 'application/json', contentSchema: item },
            },
          },
        },
      }),
    },
    components: { schemas: { Doc: DOC, Tree: TREE } },
  })
}

const json = (schema: object): object => ({ 'application/json': { schema } })

const list = (items: object, more: object = {}): object => ({ type: 'array', items, ...more })

const TREE = {
  type: 'object',
  properties: { of: { $ref: '#/components/schemas/Tree' }, all: list({ $ref: '#/components/schemas/Tree' }) },
}

const branches = Array.from({ length: 200 }, (_, i) => ({
  type: 'object',
  required: [`k${i}`],
  properties: {
    [`k${i}`]: { type: 'integer', multipleOf: i + 1 },
    id: { type: 'string', pattern: '^[a-z]*$' },
  },
}))

const DOC = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    money: list({ type: 'number', multipleOf: 0.01, maximum: 1e15 }),
    whole: list({ type: 'integer', multipleOf: 7 }),
    chosen: list({ enum: [1, 2, 1e300, 'a'] }),
    sets: list({}, { uniqueItems: true }),
    greedy: list({ type: 'string', pattern: '^(a+)+$' }),
    counted: list({ type: 'string', pattern: '^(?:a|b|ab){0,400}$' }),
    ahead: list({ type: 'string', pattern: '^(?=(a+)+$)a' }),
    tree: { $ref: '#/components/schemas/Tree' },
    shapes: list({ oneOf: branches }),
    some: list({ anyOf: branches }),
    map: {
      type: 'object',
      additionalProperties: { type: 'number' },
      propertyNames: { pattern: '^(k+)+[0-9]*$' },
    },
    has: list({}, { contains: { type: 'object', required: ['x'] } }),
    mails: list({ type: 'string', format: 'email' }),
    uris: list({ type: 'string', format: 'uri' }),
    hosts: list({ type: 'string', format: 'idn-hostname' }),
    times: list({ type: 'string', format: 'date-time' }),
    regexes: list({ type: 'string', format: 'regex' }),
    addresses: list({ type: 'string', format: 'ipv6' }),
    pointers: list({ type: 'string', format: 'json-pointer' }),
    templates: list({ type: 'string', format: 'uri-template' }),
  },
}

const FORM = {
  type: 'object',
  properties: {
    a: { type: 'string' },
    list: list({ type: 'integer' }),
    deep: { type: 'object', properties: { x: { type: 'string' } } },
    file: { type: 'string', contentMediaType: 'application/octet-stream' },
  },
}

const PARAMETERS = [
  { name: 'q', in: 'query', schema: { type: 'string', pattern: '^(a+)+$' } },
  { name: 'n', in: 'query', schema: list({ type: 'integer' }) },
  { name: 'pipe', in: 'query', style: 'pipeDelimited', explode: false, schema: list({ type: 'integer' }) },
  {
    name: 'f',
    in: 'query',
    style: 'deepObject',
    explode: true,
    schema: {
      type: 'object',
      properties: { a: { type: 'string' } },
      additionalProperties: { type: 'string' },
    },
  },
  { name: 'filter', in: 'query', content: json({ $ref: '#/components/schemas/Tree' }) },
  { name: 'sid', in: 'cookie', schema: { type: 'string' } },
]

export const GRAPH = `type Query { me: User  users(first: Int, filter: Filter): [User!]! }
type User { id: ID! name: String friends: [User!]! }
input Filter { not: Filter, ids: [ID!] }
`
