import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

test('the closest candidate, or none where none is close', () => {
  expect(nearest('shop.getOrdr', ['shop.getOrders', 'shop.getOrder', 'shop.health'])).toBe('shop.getOrder')
  expect(nearest('SHOP.getorder', ['shop.getOrder'])).toBe('shop.getOrder')
  expect(nearest('zzz', ['shop.getOrder'])).toBeNull()
  expect(nearest('x', [])).toBeNull()
})

test('long names cost no more than their beginning', () => {
  expect(nearest('a'.repeat(100_000), ['b'.repeat(100_000)])).toBeNull()
})
