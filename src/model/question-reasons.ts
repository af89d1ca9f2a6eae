/** Reasons that only answers to AuthZEN questions have. */
export const QUESTION_REASONS = {
  'question-malformed': {
    status: 400,
    title: 'The question is not in the form of the AuthZEN Authorization API.',
    remedy: 'Send what the answer’s reason names.',
  },
  'question-unknown': {
    status: 403,
    title: 'The question names a type or an action that the domain’s schema does not have, or not together.',
    remedy: 'Add it to the schema, or to types of the domain.',
  },
  'question-mistyped': {
    status: 403,
    title: 'A stated attribute is not of the type the domain’s schema gives it.',
    remedy: 'State it as the schema says, or change the schema.',
  },
} as const
