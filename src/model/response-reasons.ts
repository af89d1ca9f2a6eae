/** Why an answer of the upstream does not reach the caller, or not as it came. */
export const RESPONSE_REASONS = {
  'response-undeclared': {
    status: 502,
    title: 'The upstream’s answer is not one the contract declares.',
    remedy: 'Declare the status and media type in the contract.',
  },
  'response-invalid': {
    status: 502,
    title: 'The upstream’s answer does not fit what the contract declares for it.',
    remedy: 'Correct the upstream or the contract; answers: observe only records it meanwhile.',
  },
  'response-field-undeclared': {
    status: 502,
    title: 'The upstream’s answer has fields the contract does not declare, and the API blocks such answers.',
    remedy: 'Declare the fields if callers are meant to see them, or set answers: strip.',
  },
  'response-error-replaced': {
    status: 0,
    title:
      'The upstream’s error is not one the contract promises, or tells of its inside: callers get its status.',
    remedy: 'Look at the original in the record; declare the error’s schema, and keep traces out of it.',
  },
  'response-item-dropped': {
    status: 0,
    title: 'Items of a streamed answer were left out: they do not fit the contract.',
    remedy: 'Correct the upstream or the contract.',
  },
  'response-malformed': {
    status: 502,
    title: 'The answer is announced as JSON but is not strict JSON, so it cannot be checked.',
    remedy: 'Correct the upstream.',
  },
  'response-field-dropped': {
    status: 0,
    title: 'Fields the contract does not declare were removed from the answer.',
    remedy: 'Declare the fields if callers are meant to see them.',
  },
  'response-too-large': {
    status: 502,
    title: 'The answer is larger than the gate may hold to check it.',
    remedy: 'Raise the API’s maxAnswerBytes.',
  },
} as const
