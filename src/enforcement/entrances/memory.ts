import type {
  Answer,
  Caller,
  Delivery,
  Exchange,
  ExchangeId,
  RawFields,
  Reply,
} from '../../model/exchange.ts'
import type { Random } from '../../model/ports.ts'
import { parseIp } from '../../syntax/ip.ts'
import { uuid7 } from '../../syntax/uuid.ts'
import { bytesSource } from '../bytes-source.ts'
import type { Gate } from '../gate.ts'
import { play } from '../pipeline.ts'

export interface MemoryCall {
  readonly method: string
  readonly target: string
  readonly fields: RawFields
  readonly body?: Uint8Array
  readonly address?: string
}

export interface MemoryAnswer {
  readonly id: ExchangeId
  readonly status: number
  readonly fields: RawFields
  readonly body: Uint8Array
}

/** The entrance without a socket: the same acts on plain values, for tests, `try` and programs that embed the gate. */
export async function callInMemory(
  gate: Gate,
  random: Random,
  call: MemoryCall,
  entrance: 'memory' | 'try' = 'memory',
): Promise<MemoryAnswer> {
  const received = gate.clock.now()
  const exchange: Exchange = {
    id: uuid7(received.wallMs, random.bytes(10)) as ExchangeId,
    entrance,
    received,
    caller: callerAt(call.address ?? '127.0.0.1'),
    head: {
      method: call.method,
      target: call.target,
      httpVersion: '1.1',
      fields: call.fields,
      secure: false,
    },
    body: call.body === undefined ? null : bytesSource(call.body),
  }
  const reply = new MemoryReply()
  await play(exchange, reply, gate)
  return { id: exchange.id, ...reply.taken() }
}

function callerAt(address: string): Caller {
  const ip = parseIp(address)
  return { bytes: ip?.bytes ?? new Uint8Array(16), text: ip?.text ?? '::', port: 0 }
}

class MemoryReply implements Reply {
  readonly gone = false
  #answer: { status: number; fields: RawFields; body: Uint8Array } | null = null

  inform(): void {}

  onGone(): void {}

  async send(answer: Answer): Promise<Delivery> {
    const chunks: Uint8Array[] = []
    let complete = true
    try {
      if (answer.body instanceof Uint8Array) chunks.push(answer.body)
      else if (answer.body !== null) {
        for (let chunk = await answer.body.read(); chunk !== null; chunk = await answer.body.read())
          chunks.push(chunk)
      }
    } catch {
      // As over a socket: what came before stands, and the answer ends short.
      complete = false
    }
    const body = Buffer.concat(chunks)
    this.#answer = { status: answer.status, fields: answer.fields, body }
    return complete ? { complete } : { complete, bytes: body.byteLength, why: 'the answer broke off' }
  }

  taken(): { status: number; fields: RawFields; body: Uint8Array } {
    if (this.#answer === null) throw new Error('the pipeline ended without an answer')
    return this.#answer
  }
}
