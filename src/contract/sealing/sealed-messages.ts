import type { MessagePlan } from '../message-plan.ts'
import type { Schema } from '../schema.ts'
import type { SealedSchemas } from './sealed-schemas.ts'

/** Body and answers with each schema as it holds in its direction. */
export function sealMessages(messages: MessagePlan, schemas: SealedSchemas): MessagePlan {
  const { body, answers } = messages
  const sealed = <T extends { readonly schema: Schema | null }>(
    plans: readonly T[],
    direction: 'request' | 'answer',
  ): readonly T[] =>
    plans.map((plan) => ({
      ...plan,
      schema: plan.schema === null ? null : schemas.seal(plan.schema, direction),
    }))
  return {
    ...messages,
    body: body === null ? null : { ...body, content: sealed(body.content, 'request') },
    answers: Object.fromEntries(
      Object.entries(answers).map(([status, plans]) => [status, sealed(plans, 'answer')]),
    ),
  }
}

/** Parameters are of requests. */
export function sealParameters<T extends { readonly schema: Schema }>(
  parameters: readonly T[],
  schemas: SealedSchemas,
): readonly T[] {
  return parameters.map((parameter) => ({ ...parameter, schema: schemas.seal(parameter.schema, 'request') }))
}
