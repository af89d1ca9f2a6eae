import { describe, expect, it } from 'vitest'
import { parseIp } from './ip.ts'
import { isPublicAddress } from './special-addresses.ts'
import { readUrlTarget } from './url-target.ts'

const shown = (text: string): string => {
  const read = readUrlTarget(text, 'url')
  if (!read.ok) return `!${read.why}`
  const { scheme, host, port } = read
  return `${scheme} ${host === null ? '-' : host.kind === 'name' ? host.name : host.text}${port === null ? '' : ` ${port}`}`
}

describe('URLs that a server would call', () => {
  it.each([
    ['http://example.com', 'http example.com'],
    ['HTTPS://Example.COM:8443/a?b#c', 'https example.com 8443'],
    ['https://a_b.example/x', 'https a_b.example'],
    ['https://xn--bcher-kva.example/', 'https xn--bcher-kva.example'],
    ['https://example.com/\u00fc?q=%20', 'https example.com'],
    ['https://example.com/?to=http://other@x', 'https example.com'],
    ['http://8.8.8.8/', 'http 8.8.8.8'],
    ['http://[2606:4700::1111]:80/', 'http 2606:4700::1111 80'],
    ['http://[::ffff:127.0.0.1]/', 'http 127.0.0.1'],
    ['urn:isbn:123', 'urn -'],
    ['mailto:a@b.example', 'mailto -'],
    ['ws://example.com', 'ws example.com'],
    ['http://1e100.example/', 'http 1e100.example'],
    ['http://a.0x.example', 'http a.0x.example'],
  ])('%s', (text, expected) => {
    expect(shown(text)).toBe(expected)
  })

  it.each([
    ['http://2852039166/', 'address-form'],
    ['http://0xA9FEA9FE/', 'address-form'],
    ['http://0xa9.0xfe.0xa9.0xfe/', 'address-form'],
    ['http://0251.0376.0251.0376/', 'address-form'],
    ['http://025177524776/', 'address-form'],
    ['http://169.254.43518/', 'address-form'],
    ['http://169.0xfe.0251.254/', 'address-form'],
    ['http://127.1/', 'address-form'],
    ['http://127.0.1/', 'address-form'],
    ['http://0/', 'address-form'],
    ['http://0x/', 'address-form'],
    ['http://127.0.0.01/', 'address-form'],
    ['http://256.1.1.1/', 'address-form'],
    ['http://1.2.3.4.5/', 'address-form'],
    ['http://example.1/', 'address-form'],
    ['http://127.0.0.1./', 'trailing-dot'],
    ['http://localhost./', 'trailing-dot'],
    ['http://[::1%25eth0]/', 'host-encoded'],
    ['http://[fe80::1%eth0]/', 'host-encoded'],
    ['http://[v1.a]/', 'address-form'],
    ['http://[127.0.0.1]/', 'address-form'],
    ['http://[::1', 'port'],
    ['http://[::1]x/', 'address-form'],
    ['http://::1/', 'port'],
    ['http://good@169.254.169.254/', 'userinfo'],
    ['http://good.example:80@169.254.169.254/', 'userinfo'],
    ['http://169.254.169.254@good.example/', 'userinfo'],
    ['http://good.example\\@169.254.169.254/', 'backslash'],
    ['http:\\\\169.254.169.254/', 'backslash'],
    ['http://%31%36%39.254.169.254/', 'host-encoded'],
    ['http://127%2e0%2e0%2e1/', 'host-encoded'],
    ['http://\uff11\uff16\uff19.254.169.254/', 'host-character'],
    ['http://\u2460\u2461\u2466.0.0.1/', 'host-character'],
    ['http://169\u3002254.169.254/', 'host-character'],
    ['http://loc\u00adalhost/', 'host-character'],
    ['http://b\u00fccher.example/', 'host-character'],
    ['http:169.254.169.254/', 'authority-form'],
    ['http:/169.254.169.254/', 'authority-form'],
    ['http:///169.254.169.254/', 'authority-form'],
    ['http://?x', 'authority-form'],
    [' http://example.com', 'character'],
    ['http://example.com ', 'character'],
    ['http://exa\tmple.com', 'character'],
    ['ht\ntp://example.com', 'character'],
    ['http://example.com/\u200b', 'character'],
    ['169.254.169.254/latest', 'scheme-missing'],
    ['http://example.com:/', 'port'],
    ['http://example.com:080/', 'port'],
    ['http://example.com:65536/', 'port'],
    ['http://example.com:0/', 'port'],
    ['http://a..b/', 'host-character'],
    ['http://.a/', 'host-character'],
    ['http://a,b/', 'host-character'],
    ['http://a;b/', 'host-character'],
    ['http://a^b/', 'host-character'],
    [`http://${'a'.repeat(9_000)}.example/`, 'too-long'],
  ])('%j is refused: %s', (text, why) => {
    expect(shown(text)).toBe(`!${why}`)
  })

  it('of references and bare hosts', () => {
    expect(readUrlTarget('/a/b', 'reference')).toEqual({ ok: true, scheme: '', host: null, port: null })
    expect(readUrlTarget('//169.254.169.254/x', 'reference')).toMatchObject({ host: { kind: 'address' } })
    expect(readUrlTarget('/\\169.254.169.254/x', 'reference')).toMatchObject({ why: 'backslash' })
    expect(readUrlTarget('example.com:443', 'host')).toMatchObject({
      host: { name: 'example.com' },
      port: 443,
    })
    expect(readUrlTarget('2130706433', 'host')).toMatchObject({ why: 'address-form' })
    expect(readUrlTarget('example.com/x', 'host')).toMatchObject({ why: 'host-character' })
  })
})

describe('addresses of the internet', () => {
  it.each([
    '8.8.8.8',
    '1.1.1.1',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '2606:4700:4700::1111',
    '2a00:1450::1',
    '64:ff9b::8.8.8.8',
  ])('%s is public', (text) => {
    expect(isPublicAddress(parseIp(text)?.bytes ?? new Uint8Array(16))).toBe(true)
  })

  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.255',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:10::1',
    '2001:db8::1',
    '2002:a9fe:a9fe::1',
    '2002:7f00:1::',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fec0::1',
    'ff02::1',
  ])('%s is not', (text) => {
    expect(isPublicAddress(parseIp(text)?.bytes ?? new Uint8Array(16))).toBe(false)
  })
})
