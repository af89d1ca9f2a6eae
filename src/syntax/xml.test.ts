import { describe, expect, it } from 'vitest'
import { parseXml, type XmlElement } from './xml.ts'

const read = (text: string | Uint8Array): XmlElement | string => {
  const xml = parseXml(typeof text === 'string' ? Buffer.from(text) : text)
  return xml.ok ? xml.root : xml.rule
}
/** An element as `{namespace}name@attribute=value[children]text`. */
const shown = (element: XmlElement | string): string => {
  if (typeof element === 'string') return element
  const name = (each: { readonly namespace: string; readonly local: string }): string =>
    each.namespace === '' ? each.local : `{${each.namespace}}${each.local}`
  const attributes = element.attributes.map((each) => `@${name(each)}=${each.value}`).join('')
  const children = element.children.length === 0 ? '' : `[${element.children.map(shown).join()}]`
  return `${name(element)}${attributes}${children}${element.children.length === 0 ? element.text : ''}`
}

describe('XML', () => {
  it.each([
    ['<a/>', 'a'],
    ['<a></a >', 'a'],
    ['<a>x</a>\n', 'ax'],
    ['\ufeff<a/>', 'a'],
    ['<?xml version="1.0"?><a/>', 'a'],
    ["<?xml version='1.0' encoding='utf-8' standalone='yes'?>\r\n<a/>", 'a'],
    ['<!-- c --><a/><!-- d -->', 'a'],
    ['<a><b/><!-- c --><b>1</b></a>', 'a[b,b1]'],
    ['<a>&lt;&gt;&amp;&apos;&quot;&#65;&#x42;&#x1F600;</a>', 'a<>&\'"AB😀'],
    ['<a><![CDATA[<b>&amp;]]]]></a>', 'a<b>&amp;]]'],
    ['<a>1\r\n2\r3</a>', 'a1\n2\n3'],
    ['<a x="1" y=\'"\' z = "a\tb&#10;c&amp;"/>', 'a@x=1@y="@z=a b\nc&'],
    ['<é-1.·/>', 'é-1.·'],
    ['<p:a xmlns:p="urn:p" p:x="1" x="2"><b/><p:b/></p:a>', '{urn:p}a@{urn:p}x=1@x=2[b,{urn:p}b]'],
    ['<a xmlns="urn:a"><b xmlns=""><c/></b><d/></a>', '{urn:a}a[b[c],{urn:a}d]'],
    ['<a xml:lang="en"/>', 'a@{http://www.w3.org/XML/1998/namespace}lang=en'],
  ])('%s', (text, tree) => expect(shown(read(text))).toBe(tree))

  it.each([
    ['', 'unfinished'],
    ['x', 'syntax'],
    ['<a>', 'unfinished'],
    ['<a', 'unfinished'],
    ['<a x="1', 'unfinished'],
    ['<a></b>', 'tags-differ'],
    ['<a></A>', 'tags-differ'],
    ['<p:a xmlns:p="u" xmlns:q="u"></q:a>', 'tags-differ'],
    ['</a>', 'syntax'],
    ['<a/><b/>', 'trailing'],
    ['<a/>x', 'trailing'],
    [' <?xml version="1.0"?><a/>', 'processing-instruction'],
    ['<?xml version="1.1"?><a/>', 'declaration'],
    ['<?xml version="1.0" encoding="UTF-16"?><a/>', 'declaration'],
    ['<?xml version="1.0" encoding="utf-7"?><a/>', 'declaration'],
    ['<?xml-stylesheet href="x"?><a/>', 'processing-instruction'],
    ['<a><?php echo 1 ?></a>', 'processing-instruction'],
    ['<!DOCTYPE a><a/>', 'doctype'],
    ['<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'doctype'],
    ['<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>', 'doctype'],
    ['<!doctype a><a/>', 'syntax'],
    ['<a><!ELEMENT b></a>', 'syntax'],
    ['<a>&x;</a>', 'entity'],
    ['<a>&</a>', 'entity'],
    ['<a>&lt</a>', 'entity'],
    ['<a>&#0;</a>', 'entity'],
    ['<a>&#xD800;</a>', 'entity'],
    ['<a>&#x110000;</a>', 'entity'],
    ['<a>&#xFFFE;</a>', 'entity'],
    ['<a x="&x;"/>', 'entity'],
    ['<a x="<"/>', 'syntax'],
    ['<a x=1/>', 'syntax'],
    ['<a x/>', 'syntax'],
    ['<a x="1"y="2"/>', 'syntax'],
    ['<a x="1" x="2"/>', 'duplicate-attribute'],
    ['<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>', 'duplicate-attribute'],
    ['<a>]]></a>', 'syntax'],
    ['<a><!-- a -- b --></a>', 'syntax'],
    ['<a><!-- a ---></a>', 'syntax'],
    ['<![CDATA[x]]><a/>', 'syntax'],
    ['<a><![CDATA[x</a>', 'unfinished'],
    ['< a/>', 'syntax'],
    ['<1a/>', 'syntax'],
    ['<a:b:c xmlns:a="u"/>', 'syntax'],
    ['<:a/>', 'syntax'],
    ['<p:a/>', 'namespace'],
    ['<a p:x="1"/>', 'namespace'],
    ['<a xmlns:p=""/>', 'namespace'],
    ['<a xmlns:xmlns="u"/>', 'namespace'],
    ['<a xmlns:xml="u"/>', 'namespace'],
    ['<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>', 'namespace'],
    ['<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>', 'xinclude'],
    ['<a><b xmlns="http://www.w3.org/2003/XInclude"/></a>', 'xinclude'],
    ['<a>adm<!-- -->in</a>', 'split-text'],
    ['<a>adm<![CDATA[in]]></a>', 'split-text'],
    ['<a>x<b/></a>', undefined],
    ['<a>x<b/>y</a>', 'split-text'],
    ['<a>\u0001</a>', 'character'],
    ['<a>\uffff</a>', 'character'],
    ['<a>\0</a>', 'character'],
    ['<a>'.repeat(65), 'depth'],
    [`<a ${Array.from({ length: 65 }, (_, i) => `x${i}="1"`).join(' ')}/>`, 'attributes'],
    [`<${'a'.repeat(257)}/>`, 'name-size'],
  ])('%s', (text, rule) => {
    const found = read(text)
    expect(typeof found === 'string' ? found : undefined).toBe(rule)
  })

  it('more elements than the limit are refused', () => {
    const xml = parseXml(Buffer.from(`<a>${'<b/>'.repeat(10)}</a>`), { maxDepth: 64, maxElements: 10 })
    expect(xml.ok ? '' : xml.rule).toBe('elements')
  })

  it('is UTF-8 alone', () => {
    expect(read(Buffer.from('<a>\xff</a>', 'latin1'))).toBe('invalid-utf8')
    expect(read(Buffer.from('\ufeff<a/>', 'utf16le'))).toBe('invalid-utf8')
    expect(read(Buffer.from('<a/>', 'utf16le'))).toBe('character')
  })

  it('says where an element stands', () => {
    const root = read('<a>\n<b x="1">ä</b></a>')
    if (typeof root === 'string') throw new Error(root)
    const [child] = root.children
    expect([root.from, root.to, child?.from, child?.to]).toEqual([0, 22, 4, 18])
  })
})
