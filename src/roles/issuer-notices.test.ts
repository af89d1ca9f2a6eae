import { beforeEach, expect, it } from 'vitest'
import { issuerPlan, TestTime } from '../../test/token-issuer.ts'
import type { KeyNotice } from '../model/channel.ts'
import { IssuerNotices } from './issuer-notices.ts'

let time: TestTime
let said: string[]
let notices: IssuerNotices
beforeEach(() => {
  time = new TestTime()
  said = []
  notices = new IssuerNotices(
    (text) => said.push(text),
    () => time.now().wallMs,
  )
})

const plan = issuerPlan({ name: 'corp' })
const base: KeyNotice = {
  issuer: 'corp',
  iss: plan.iss,
  ok: true,
  keys: [],
  fetchedAt: 1,
  cooldownFrom: 0,
  cooldownUntil: 0,
}
const failed = (inMs: number): KeyNotice => ({
  ...base,
  ok: false,
  keys: null,
  error: 'keys-unreachable: https://idp.example/keys: ECONNREFUSED',
  retryAt: time.now().wallMs + inMs,
})

it('one line for a failed fetch, with the next try, and one when all is well again', () => {
  const first = failed(10_000)
  for (const notice of [first, first, first]) notices.take(notice)
  notices.take(failed(20_000))
  notices.take(base)
  notices.take(base)
  expect(said).toEqual([
    'issuer corp: keys-unreachable: https://idp.example/keys: ECONNREFUSED; next try in 10 s',
    'issuer corp: keys-unreachable: https://idp.example/keys: ECONNREFUSED; next try in 20 s',
    'issuer corp: its keys have been fetched',
  ])
})

it('what is missing counts down, and keys that are merely old are not missing', async () => {
  expect(notices.missing([plan])).toEqual(['issuer corp: its keys have not been fetched yet'])
  notices.take(failed(10_000))
  await time.pass(7_000)
  expect(notices.missing([plan])[0]).toMatch(/ECONNREFUSED; next try in 3 s$/)
  notices.take({ ...failed(10_000), keys: [] })
  expect(notices.missing([plan])).toEqual([])
})
