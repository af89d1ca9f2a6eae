import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { compileContract } from '../src/contract/compile.ts'
import type { Operation } from '../src/contract/instantiate.ts'
import { CASES, CONTRACT, type ContractCase, schemaOf } from './contract-cases.ts'
import { expressValidator } from './express-validator.ts'
import { gateMessages, instantiated } from './gate-messages.ts'
import { leastCpuOf } from './least-cpu.ts'

/**
 * Runs in a process of its own, pinned like the gate: what holding one message against its schema takes from its bytes
 * on, beside JSON.parse with Ajv over the same schema, and beside express-openapi-validator. All must accept the
 * message, and only the answer's undeclared fields may go, or there are no figures.
 */
export interface ContractMeasured {
  readonly message: string
  readonly bytes: number
  /** CPU of the process for one message in µs, least of the rounds. */
  readonly gateUs: number
  /** Null of messages that only the gate holds. */
  readonly ajvUs: number | null
  /** Null for answers: it validates them only after they were serialized by the app. */
  readonly expressUs: number | null
}

async function measure(each: ContractCase, ms: number): Promise<ContractMeasured> {
  const operation = linked(each.operation)
  const bytes = Buffer.from(JSON.stringify(each.value))
  const gate = each.direction === 'request' ? request(operation, bytes) : answer(operation, bytes, each)
  const ajv = byAjv(each, bytes)
  const express = each.direction === 'request' ? await expressValidator(each, bytes) : null
  const [gateUs = Number.NaN, ajvUs = Number.NaN] = leastCpuOf(ms, [gate, ajv])
  return {
    message: each.name,
    bytes: bytes.length,
    gateUs,
    ajvUs,
    expressUs: express === null ? null : await express.measure(ms),
  }
}

let operations: ReadonlyMap<string, Operation> | null = null

function linked(key: string): Operation {
  operations ??= instantiated(
    compileContract({
      api: 'shop',
      text: JSON.stringify(CONTRACT),
      file: 'bench.json',
      objects: {},
      credential: 'replace',
    }),
  )
  const operation = operations.get(`shop.${key}`)
  if (operation === undefined) throw new Error(`the contract has no ${key}`)
  return operation
}

function request(operation: Operation, bytes: Uint8Array): () => number {
  const one = (): number => operation.checkBody('application/json', bytes).findings.length
  if (one() !== 0) throw new Error('the gate refuses the request')
  return one
}

function answer(operation: Operation, bytes: Uint8Array, { dropped }: ContractCase): () => number {
  const first = operation.checkAnswer(200, 'application/json', bytes)
  if (first.findings.length > 0 || first.dropped.length !== dropped || first.body.length >= bytes.length)
    throw new Error('the gate does not strip the answer as it must')
  return () => operation.checkAnswer(200, 'application/json', bytes).body.length
}

function byAjv(each: ContractCase, bytes: Buffer): () => number {
  const ajv = new Ajv2020({ strict: false, allErrors: false })
  addFormats.default(ajv)
  const validate = ajv.compile(schemaOf(each))
  const one = (): number => (validate(JSON.parse(bytes.toString('utf8'))) ? 1 : 0)
  if (one() !== 1) throw new Error('Ajv refuses the message')
  return one
}

process.once('message', (ms) => {
  void (async () => {
    const measured: ContractMeasured[] = []
    for (const each of CASES) measured.push(await measure(each, Number(ms)))
    for (const { name, bytes, one } of gateMessages())
      measured.push({
        message: name,
        bytes,
        gateUs: leastCpuOf(Number(ms) / 2, [one])[0] ?? Number.NaN,
        ajvUs: null,
        expressUs: null,
      })
    process.send?.(measured)
  })()
})
process.send?.('ready')
