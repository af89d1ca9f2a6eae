import { expect, test } from 'vitest'
import { EntityStore, EntityStoreError } from './entity-store.ts'
import { EntityUid } from './values.ts'

const node = (id: string | number): EntityUid => new EntityUid('N', String(id))

test('ancestors are those at any distance, each once, itself not among them', () => {
  const store = new EntityStore([
    { uid: node('bottom'), parents: [node('left'), node('right')] },
    { uid: node('left'), parents: [node('top')] },
    { uid: node('right'), parents: [node('top'), node('absent')] },
    { uid: node('top') },
  ])
  const bottom = store.get(node('bottom'))
  expect(
    bottom
      ?.ancestors()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['absent', 'left', 'right', 'top'])
  expect(bottom?.isIn(node('top'))).toBe(true)
  expect(bottom?.isIn(node('bottom'))).toBe(false)
  expect(bottom?.isIn(new EntityUid('Other', 'top'))).toBe(false)
})

test.each([
  ['of one', [{ uid: node('a'), parents: [node('a')] }]],
  [
    'of three, reached from outside',
    [
      { uid: node('x'), parents: [node('a')] },
      { uid: node('a'), parents: [node('b')] },
      { uid: node('b'), parents: [node('c')] },
      { uid: node('c'), parents: [node('a')] },
    ],
  ],
])('a cycle %s is refused', (_name, statements) => {
  expect(() => new EntityStore(statements)).toThrow('N::"a" is among its own ancestors')
})

test('an entity stated twice is refused', () => {
  expect(() => new EntityStore([{ uid: node('a') }, { uid: node('a') }])).toThrow(EntityStoreError)
})

test('a chain of 1,000 costs no call stack, one whose closure would fill the memory is refused', () => {
  const chain = (length: number) =>
    Array.from({ length }, (_, i) => ({ uid: node(i), parents: i + 1 < length ? [node(i + 1)] : [] }))
  expect(new EntityStore(chain(1_000)).get(node(0))?.ancestors()).toHaveLength(999)
  expect(() => new EntityStore(chain(20_000))).toThrow('the entity hierarchy is too large')
})
