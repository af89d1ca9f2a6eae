import type { OperationPlan } from '../../model/operation.ts'
import { type AnswerCheck, type AnswerPromise, NOTHING_STATED } from '../answer.ts'
import type { BodyCheck } from '../body.ts'
import { NO_FINDINGS } from '../findings.ts'
import type { Operation } from '../instantiate.ts'
import { type LinkedItemLabels, NO_ITEM } from '../sensitivity/linked-labels.ts'

const NO_HEADERS: ReadonlySet<string> = new Set()

/**
 * An operation that checks nothing by itself. As it is, a field of the schema: judged, and never called. Requests of an
 * endpoint are read whole by `ask`, so that these parts have nothing left to say of them.
 */
export class PlainOperation implements Operation {
  readonly plan: OperationPlan
  readonly body: Operation['body']
  readonly headers = NO_HEADERS
  readonly unknownFields = 'reject'

  constructor(plan: OperationPlan, body: Operation['body'] = 'none') {
    this.plan = plan
    this.body = body
  }

  takesPathParameters(): boolean {
    return false
  }

  checkParameters(): typeof NO_FINDINGS {
    return NO_FINDINGS
  }

  sealQuery(): null {
    return null
  }

  checkBody(_contentType: string | undefined, bytes: Uint8Array | null): BodyCheck {
    return { findings: NO_FINDINGS, bytes, dropped: [], stated: NOTHING_STATED }
  }

  checkAnswer(_status: number, _contentType: string | undefined, bytes: Uint8Array): AnswerCheck {
    return unread(bytes)
  }

  fieldEdits(): null {
    return null
  }

  itemLabels(): LinkedItemLabels {
    return NO_ITEM
  }

  promise(status: number, _contentType: string | undefined): AnswerPromise {
    return this.declares(status) ? 'checked' : 'none'
  }

  itemsOf(): null {
    return null
  }

  checkAnswerFields(): typeof NO_FINDINGS {
    return NO_FINDINGS
  }

  declares(_status: number): boolean {
    return false
  }

  declaresContent(status: number): boolean {
    return this.declares(status)
  }
}

/** An answer that was not held against anything. */
export function unread(bytes: Uint8Array, findings: AnswerCheck['findings'] = NO_FINDINGS): AnswerCheck {
  return { findings, body: bytes, stated: NOTHING_STATED, items: null, dropped: [], checked: false }
}
