import { describe, expect, it } from 'vitest'
import { configFolder } from '../../test/config-folder.ts'
import { decisionPointSettings } from './decision-points.ts'
import { decisionPoints } from './decision-points-schema.ts'
import { readConfig } from './read.ts'

const settings = (written: unknown) =>
  decisionPointSettings(decisionPoints.parse(written), (reference) => reference)
const messages = (written: unknown): readonly string[] =>
  decisionPoints.safeParse(written).error?.issues.map(({ message }) => message) ?? []

describe('decisionPoints', () => {
  it('have a port each, and none that something else listens on', () => {
    const folder = configFolder()
    const read = (points: string) => () =>
      readConfig(
        folder.write({
          'sallyport.yaml': `listen: { port: 9191 }\ndecisionPoints: ${points}\napis: { a: { upstream: "http://127.0.0.1:3000", owner: team } }\n`,
        }),
      )
    expect(read('{ extAuthz: {} }')).toThrow(/port is taken by listen/)
    expect(read('{ extAuthz: { port: 9090 } }')).toThrow(/port is taken by management/)
    expect(read('{ extAuthz: { port: 9192 }, extAuthzHttp: {} }')).toThrow(
      /port is taken by decisionPoints\.extAuthz/,
    )
    expect(read('{ extAuthz: { port: 9194 } }')().warnings).toEqual([])
    const open = read('{ extAuthz: { port: 9194, peers: [0.0.0.0/0] } }')().warnings
    expect(open.map(({ message }) => message).join()).toContain('peers holds every address')
    folder.remove()
  })

  it('are off unless they are written', () => {
    expect(settings({})).toEqual([])
  })

  it('let only this machine ask unless told, and deny what takes a body that is not shown', () => {
    expect(settings({ extAuthz: {}, forwardAuth: { dialect: 'nginx' } })).toEqual([
      {
        kind: 'ext-authz',
        key: 'decisionPoints.extAuthz',
        host: '127.0.0.1',
        port: 9191,
        peers: ['127.0.0.0/8', '::1/128'],
        bodies: 'deny',
        maxMessageBytes: 4_194_304,
      },
      {
        kind: 'forward-auth',
        key: 'decisionPoints.forwardAuth',
        host: '127.0.0.1',
        port: 9193,
        peers: ['127.0.0.0/8', '::1/128'],
        bodies: 'deny',
        dialect: 'nginx',
        identityFields: 'refuse',
      },
    ])
  })

  it('refuse peers that are no block, ports that would be chosen anew by each thread, and unknown keys', () => {
    expect(messages({ extAuthz: { peers: ['10.0.0.1/8'] } })).toHaveLength(1)
    expect(messages({ extAuthz: { peers: ['proxy.example'] } })).toHaveLength(1)
    expect(messages({ extAuthz: { peers: [] } })).toHaveLength(1)
    expect(messages({ extAuthz: { port: 0 } })).toHaveLength(1)
    expect(messages({ forwardAuth: {} })).toHaveLength(1)
    expect(messages({ extAuthz: { dialect: 'nginx' } })).toHaveLength(1)
  })
})
