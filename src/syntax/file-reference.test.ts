import { describe, expect, it } from 'vitest'
import { parseFileReference } from './file-reference.ts'

const read = (reference: string, from = 'shop.yaml'): string => {
  const found = parseFileReference(reference, from)
  return found.ok ? `${found.path}#${found.fragment}` : found.why
}

describe('a reference to a file', () => {
  it('is seen from the file it stands in', () => {
    expect(read('./schemas/order.yaml#/Order')).toBe('schemas/order.yaml#/Order')
    expect(read('schemas/order.yaml')).toBe('schemas/order.yaml#')
    expect(read('../common.yaml#/Id', 'schemas/order.yaml')).toBe('common.yaml#/Id')
    expect(read('#/Id', 'schemas/order.yaml')).toBe('#/Id')
    expect(read('a%20b.yaml#/x%7Ey')).toBe('a b.yaml#/x~y')
  })

  it.each([
    ['../secret.yaml', 'shop.yaml', 'leads out of the contract’s folder'],
    ['../../secret.yaml', 'schemas/order.yaml', 'leads out of the contract’s folder'],
    ['schemas/../../x.yaml', 'shop.yaml', 'leads out of the contract’s folder'],
    ['%2e%2e/secret.yaml', 'shop.yaml', 'leads out of the contract’s folder'],
    ['/etc/passwd', 'shop.yaml', 'is an absolute path'],
    ['%2Fetc%2Fpasswd', 'shop.yaml', 'is an absolute path'],
    ['//host/x.yaml', 'shop.yaml', 'is an absolute path'],
    ['file:///etc/passwd', 'shop.yaml', 'names a file: address'],
    ['FILE:/etc/passwd', 'shop.yaml', 'names a FILE: address'],
    ['http://169.254.169.254/x', 'shop.yaml', 'names a http: address'],
    ['https://example.com/x.yaml#/A', 'shop.yaml', 'names a https: address'],
    ['c:\\windows\\x', 'shop.yaml', 'names a c: address'],
    ['..\\x.yaml', 'shop.yaml', 'has characters that no file name here may have'],
    ['x.yaml?y', 'shop.yaml', 'has characters that no file name here may have'],
    ['x%00.yaml', 'shop.yaml', 'has characters that no file name here may have'],
    ['%ff.yaml', 'shop.yaml', 'has a % that begins no escape of UTF-8 text'],
    ['.', 'shop.yaml', 'names a folder, not a file'],
    ['schemas/', 'shop.yaml', 'names a folder, not a file'],
  ])('%s is refused', (reference, from, why) => {
    expect(read(reference, from)).toBe(why)
  })
})
