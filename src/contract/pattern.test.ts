import { describe, expect, it } from 'vitest'
import { compilePattern, grantSteps, surelyFits, whyUnusable } from './pattern.ts'
import { PatternSpent } from './pattern-match.ts'

const fits = (pattern: string, text: string): boolean => compilePattern(pattern)?.test(text) ?? false

describe('engines', () => {
  it.each([
    '^[a-z0-9-]+$',
    '^p-[0-9]+$',
    '^(\\d{4})-(\\d{2})-(\\d{2})$',
    '^x\\p{Script=Greek}$',
    '^.{1,5000}$',
    '[A-Z]{2}',
    '^(?:foo|bar)$',
  ])('V8 takes %s, where each choice is settled by the next character', (pattern) => {
    expect(compilePattern(pattern)?.engine).toBe('v8')
  })

  it.each([
    '(a+)+$',
    '^(a+)+$',
    '^(a|a)*$',
    '^(a|ab)*c$',
    '^(a?a?)*$',
    '^\\w+\\w+$',
    '^.*a.*b.*$',
    '[a-z]+[0-9]',
    '\\s+$',
    '^([a-z]+){1,3}$',
    '^(ab?)*b$',
    '^(?:a{1,2}){3}$',
  ])('re2 takes %s, which backtracking could be led astray by', (pattern) => {
    expect(compilePattern(pattern)?.engine).toBe('re2')
  })

  it.each([
    ['(a)\\2', /back-reference/],
    ['(?<n>a)\\k<m>', /back-reference/],
    ['(?<n>a)(?<n>b)', /one name/],
    ['(?:(?:(?=a)b{200}){200}){2}', /repetitions/],
    ['(?i)a', /ECMAScript/],
    ['\\Aa\\Z', /ECMAScript/],
    ['(', /group/],
    ['a)', /bracket/],
    ['[a', /class/],
    ['[z-a]', /range/],
    ['a**', /quantifier/],
    ['+a', /quantifier/],
    ['a{3,1}', /quantifier/],
    ['((a{500}){500}){500}', /linear time/],
    ['('.repeat(200), /nests/],
    ['a'.repeat(9_000), /longer/],
  ])('%s is refused with the reason', (pattern, why) => {
    expect(whyUnusable(pattern)).toMatch(why)
    expect(compilePattern(pattern)).toBeNull()
  })

  it('needs linear time on texts made to stall backtracking', () => {
    const hostile = `${'a'.repeat(100_000)}!`
    const start = performance.now()
    for (const pattern of ['(a+)+$', '^(a|a)*$', '^(a?a?)*$', '^([a-z]+)*$', '^(\\w*)*$', 'a+b', '\\s+$']) {
      expect(fits(pattern, hostile)).toBe(false)
    }
    expect(performance.now() - start).toBeLessThan(5_000)
  })
})

describe('one meaning in both engines', () => {
  // The second form is the first made too ambiguous for V8.
  it.each([
    ['\\d', '5', '\u0665'],
    ['\\w', '_', '\u00e9'],
    ['\\s', '\u00a0', '\u200b'],
    ['\\S', 'x', '\ufeff'],
    ['.', '\u0085', '\u2028'],
    ['[^a]', '\n', 'a'],
    ['\\u{1F600}', '\u{1F600}', '\u{1F601}'],
    ['\\uD83D\\uDE00', '\u{1F600}', '\u{1F601}'],
    ['\\p{L}', '\u00e9', '1'],
    ['\\P{L}', '1', '\u00e9'],
    ['[\\p{Lu}0-9]', '\u00c9', '\u00e9'],
    ['\\p{Script=Greek}', '\u03b1', 'a'],
    ['[\\w-.]', '-', '+'],
    ['[\\-\\]]', ']', '['],
    ['\\x41', 'A', 'B'],
    ['\\cJ', '\n', 'J'],
    ['\\/', '/', '\\'],
    ['\\-', '-', '_'],
    ['[^]', 'x', ''],
    ['{', '{', '}'],
  ])('%s takes %j and not %j', (pattern, yes, no) => {
    for (const form of [`^(?:${pattern})$`, `^(?:${pattern}|${pattern})$`]) {
      expect(fits(form, yes), form).toBe(true)
      expect(fits(form, no), form).toBe(false)
    }
    expect(compilePattern(`^(?:${pattern}|${pattern})$`)?.engine).toBe('re2')
  })

  it('ends at the end of the text, not before a line feed', () => {
    for (const pattern of ['^a$', '^(?:a|a)$']) {
      expect(fits(pattern, 'a')).toBe(true)
      expect(fits(pattern, 'a\n')).toBe(false)
      expect(fits(pattern, 'b\na')).toBe(false)
    }
  })
})

it('has a text form of its own for each pattern, by which Ajv tells patterns apart', () => {
  const forms = ['^a$', '^b$', '(a+)+$', '(b+)+$'].map(String).map((text) => String(compilePattern(text)))
  expect(new Set(forms).size).toBe(4)
})

describe('look-around and back-references', () => {
  it.each([
    ['^(?!admin)[a-z]+$', 'user', 'administrator'],
    ['^(?=.*[A-Z])(?=.*\\d).{8,}$', 'Passw0rdd', 'password'],
    ['(?<=@)example$', 'a@example', 'a.example'],
    ['(?<!\\.)example$', 'a@example', 'a.example'],
    ['^(["\']).*\\1$', '"a"', '"a\''],
    ['^(?<q>.)x\\k<q>$', '\u{1F600}x\u{1F600}', 'axb'],
    ['(?<=(\\d+)(\\d+))$', '1053', 'x'],
    ['^(?:(a)|b)*\\1$', 'ab', 'ac'],
  ])('%s takes %j and not %j', (pattern, yes, no) => {
    const compiled = compilePattern(pattern)
    expect(compiled?.engine).toBe('budget')
    if (compiled === null) return
    expect(surelyFits(compiled, yes)).toBe(true)
    expect(surelyFits(compiled, no)).toBe(false)
  })

  it('take no longer than their budget: what is not found out is not taken', () => {
    const compiled = compilePattern('^(?=(a+)+$)a')
    const text = `${'a'.repeat(50_000)}!`
    if (compiled === null) throw new Error('not compiled')
    grantSteps(text.length)
    const start = performance.now()
    expect(() => compiled.test(text)).toThrow(PatternSpent)
    expect(surelyFits(compiled, text)).toBe(false)
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})
