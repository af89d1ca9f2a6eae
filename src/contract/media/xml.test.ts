import { describe, expect, it } from 'vitest'
import { bodyOf } from '../../../test/body-of.ts'

describe('XML', () => {
  const schemas = {
    Order: {
      type: 'object',
      required: ['id'],
      xml: { name: 'order', namespace: 'urn:shop' },
      properties: {
        id: { type: 'integer', xml: { attribute: true } },
        note: { type: 'string', maxLength: 5 },
        amount: { type: 'number', xml: { name: 'Amount' } },
        lines: { type: 'array', maxItems: 2, items: { $ref: '#/components/schemas/Line' } },
        tags: { type: 'array', items: { type: 'string', xml: { name: 'tag' } }, xml: { wrapped: true } },
        inner: { $ref: '#/components/schemas/Order' },
        gone: { type: ['string', 'null'], maxLength: 3 },
      },
    },
    Line: {
      type: 'object',
      properties: {
        sku: { type: 'string', xml: { namespace: 'urn:sku', prefix: 's' } },
        n: { type: 'integer' },
      },
    },
  }
  const judge = bodyOf('application/xml', { schema: { $ref: '#/components/schemas/Order' } }, schemas)
  const root = (inner: string, more = ' id="1"'): string => `<order xmlns="urn:shop"${more}>${inner}</order>`

  it.each([
    root(''),
    `<?xml version="1.0"?>\n${root('\n  <note>x</note>\n')}`,
    '<o:order xmlns:o="urn:shop" id="1"><note>x</note><o:Amount>1.5</o:Amount></o:order>',
    root('<lines><n>1</n></lines><lines><s:sku xmlns:s="urn:sku">a</s:sku></lines>'),
    root('<tags><tag>a</tag><tag/></tags>'),
    root('<tags/>'),
    root('<order id="2"><note>y</note></order>'),
    root('<note>&lt;&#65;</note>'),
    root('<gone xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'),
  ])('%s', (text) => expect(judge(text)).toEqual([]))

  it.each([
    [root('', ''), 'body-invalid /: required id'],
    [root('', ' id="x"'), 'body-invalid /id: type'],
    [root('<note>123456</note>'), 'body-invalid /note: maxLength'],
    [root('<Amount>a</Amount>'), 'body-invalid /amount: type'],
    [root('<amount>1</amount>'), 'field-undeclared /amount'],
    [root('<role>admin</role>'), 'field-undeclared /role'],
    [root('', ' id="1" role="admin"'), 'field-undeclared /@role'],
    [root('<note role="x">1</note>'), 'field-undeclared /note/@role'],
    [root('<note><b/></note>'), 'field-undeclared /note/b'],
    [root('<note>1</note><note>2</note>'), 'body-invalid /note: repeated'],
    [root('<id>1</id>'), 'field-undeclared /id'],
    [root('<lines/><lines/><lines/>'), 'body-invalid /lines: maxItems'],
    [root('<lines><n>x</n></lines>'), 'body-invalid /lines/0/n: type'],
    [root('<lines><sku>a</sku></lines>'), 'field-undeclared /lines/0/sku'],
    [root('<tag>a</tag>'), 'field-undeclared /tag'],
    [root('<tags><x/></tags>'), 'field-undeclared /tags/x'],
    [root('<order id="2"><role/></order>'), 'field-undeclared /inner/role'],
    [root('text'), 'body-invalid /: text'],
    ['<order id="1"/>', 'body-invalid /: namespace'],
    ['<Order xmlns="urn:shop" id="1"/>', 'body-invalid /: root element'],
    [`<!DOCTYPE order [<!ENTITY x "y">]>${root('')}`, 'body-malformed doctype at 0'],
    [root('<note>&x;</note>'), 'body-malformed entity at 37'],
    [root('<x:include xmlns:x="http://www.w3.org/2001/XInclude"/>'), 'body-malformed xinclude at 31'],
    [root('<__proto__/>'), 'field-undeclared /__proto__'],
    ['{"id":1}', 'body-malformed syntax at 0'],
  ])('is refused: %s', (text, finding) => expect(judge(text)[0]).toBe(finding))

  it('is written without what is taken out', () => {
    const strip = (text: string): string | undefined => judge(text, undefined, 'strip').at(-1)
    expect(strip(root('<a/><note>x</note>\n<a><b/></a>', ' id="1"  role="admin"'))).toBe(
      `now ${root('<note>x</note>\n')}`,
    )
    expect(strip(root('<order id="2"><role/><note>y</note></order>'))).toBe(
      `now ${root('<order id="2"><note>y</note></order>')}`,
    )
    expect(strip(root('<lines><n>1</n><x/></lines><lines y="1"/>'))).toBe(
      `now ${root('<lines><n>1</n></lines><lines/>')}`,
    )
  })

  it('is UTF-8 alone', () => {
    expect(judge(root(''), 'application/xml; charset=UTF-8')).toEqual([])
    expect(judge(root(''), 'application/xml; charset=utf-16')).toEqual(['body-malformed charset at 0'])
  })

  it('the schema takes for one text is held to its grammar all the same', () => {
    const opaque = bodyOf('image/svg+xml', { schema: { type: 'string', maxLength: 20 } })
    expect(opaque('<svg/>')).toEqual([])
    expect(opaque('<!DOCTYPE svg><svg/>')).toEqual(['body-malformed doctype at 0'])
    expect(opaque('<svg>12345678901234</svg>')).toEqual(['body-invalid /: maxLength'])
  })
})
