import { describe, expect, test } from 'vitest'
import { readDocument } from './document.ts'
import { formatProblem } from './place.ts'

function problemsOf(text: string): string[] {
  const result = readDocument('f.yaml', text)
  return result.ok ? [] : result.problems.map(formatProblem)
}

describe('readDocument', () => {
  test('reads YAML 1.2 core: yes is text, 1:30 is text, keys are text', () => {
    expect(readDocument('f', 'a: yes\nb: 1:30\n8080: 0o17\nc: ~\n')).toEqual({
      ok: true,
      value: { a: 'yes', b: '1:30', '8080': 15, c: null },
    })
    expect(readDocument('f', '\uFEFFa: 1\r\n')).toEqual({ ok: true, value: { a: 1 } })
  })

  test.each([
    ['a: 1\nb: 2\na: 3\n', 'f.yaml:3:1: the key "a" stands twice (First in line 1.)'],
    ['a: { b: 1, "b": 2 }\n', 'f.yaml:1:12: the key "b" stands twice (First in line 1.)'],
    ['__proto__: { a: 1 }', 'f.yaml:1:1: "__proto__" cannot be a key (Choose another name.)'],
    ['a: [{ constructor: 1 }]', 'f.yaml:1:7: "constructor" cannot be a key (Choose another name.)'],
    ['a: &x { b: *x }', 'f.yaml:1:12: an alias stands inside its own anchor (Write the value out.)'],
    [
      'a: [*.example]',
      'f.yaml:1:5: an alias names no anchor that stands before it (Put text that begins with * in quotes.)',
    ],
    [
      'a: 1\n---\nb: 2\n',
      'f.yaml:2:1: broken YAML: a second document begins (One document per file: take out the ---.)',
    ],
    [
      '%YAML 1.1\n---\na: no\n',
      'f.yaml:1:1: the file asks for an older YAML (Leave out the %YAML line: files are read as YAML 1.2.)',
    ],
    ['\ta: 1', 'f.yaml:1:1: broken YAML: tabs are not allowed as indentation (Indent with spaces.)'],
    [
      'a: !!js/function x',
      'f.yaml:1:4: broken YAML: a tag is not known (Tags (!name) have no meaning here.)',
    ],
    ['? [a]\n: 1', 'f.yaml:1:3: broken YAML: a key is not plain text'],
  ])('refuses %j', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem])
  })

  test('names every broken place of one file', () => {
    expect(problemsOf('a: @x\nb: "\\q"\n').map((line) => line.split(':').slice(0, 3).join(':'))).toEqual([
      'f.yaml:1:4',
      'f.yaml:2:5',
    ])
  })

  test('expansion of aliases is bounded', () => {
    const levels = [...'bcdefghij'].map((name, index) => {
      const below = `*${'abcdefghij'[index]}`
      return `${name}: &${name} [${Array(10).fill(below).join(', ')}]`
    })
    expect(problemsOf(['a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]', ...levels].join('\n'))).toEqual([
      'f.yaml:2:8: the aliases of the file expand too far (Write the values out instead of *aliases.)',
    ])
  })

  test.each([
    ['65 levels of blocks', Array.from({ length: 66 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')],
    ['65 levels of brackets', `${'['.repeat(66)}${']'.repeat(66)}`],
    ['brackets beyond the stack', '['.repeat(20_000)],
    ['dashes beyond the stack', '- '.repeat(20_000)],
  ])('%s are too deep', (_, text) => {
    const problems = problemsOf(text)
    expect(problems.length).toBeLessThanOrEqual(100)
    expect(problems[0]).toContain('nested too deeply')
  })

  test('a file of nothing but errors gives a bounded list', () => {
    expect(problemsOf('k: 1\n'.repeat(5000))).toHaveLength(100)
    expect(problemsOf(': '.repeat(5000)).length).toBeLessThanOrEqual(100)
  })

  test('a broken place never quotes what stands there', () => {
    for (const text of [
      'token: "s3cret" s3cret\n',
      'pw: }s3cret\n',
      'a: "\n s3cret',
      '} s3cret',
      'a: |s3cret\n b',
      '- s3cret\n]s3cret',
      '%s3cret\n---\na',
      'a: !s3cret x',
      'a: !s3cret! x',
      'a: !<s3cret x',
      'a: &s3cret &s3cret x',
      '"s3cret": @s3cret',
      '[s3cret s3cret: s3cret: a',
    ]) {
      const problems = problemsOf(text)
      expect(problems.length).toBeGreaterThan(0)
      expect(problems.join()).not.toContain('s3cret')
    }
  })

  test('control characters of a key do not reach the terminal', () => {
    const [problem] = problemsOf('"\\e[31mred": 1\n"\\e[31mred": 2\n')
    expect(problem).toContain('the key "�[31mred" stands twice')
  })
})
