/** Reasons that only calls of a GraphQL API have; statuses follow GraphQL over HTTP §6.4. */
export const GRAPHQL_REASONS = {
  'graphql-malformed': {
    status: 400,
    title: 'The request is not in the form of GraphQL over HTTP.',
    remedy: 'Send query, operationName, variables and extensions as JSON, and nothing else.',
  },
  'graphql-document-invalid': {
    status: 400,
    title: 'The GraphQL document does not fit the schema.',
    remedy: 'Send a document the schema allows.',
  },
  'graphql-variables-invalid': {
    status: 400,
    title: 'The variables do not fit the types that the operation declares.',
    remedy: 'Send the values the operation declares.',
  },
  'graphql-limit': {
    status: 400,
    title: 'The GraphQL request asks for more than the API lets one call ask for.',
    remedy: 'Ask for less in one call, or raise the limit named in the record under graphql.limits.',
  },
  'graphql-introspection': {
    status: 403,
    title: 'The API does not tell its schema.',
    remedy: 'Set graphql.introspection: policy, and permit it to whom it may tell.',
  },
  'graphql-subscription': {
    status: 400,
    title: 'The gate does not carry subscriptions.',
    remedy: 'Ask by a query.',
  },
  'document-untrusted': {
    status: 403,
    title: 'The API takes only documents that are registered with it, and this is none of them.',
    remedy: 'Register the document in the manifest of graphql.trustedDocuments.',
  },
  'field-denied': {
    status: 403,
    title: 'The document asks for a field that no policy lets the caller have.',
    remedy: 'Permit the action named in the record, or leave the field out.',
  },
  'field-unknowable': {
    status: 403,
    title: 'What the call asks for could not be read, so no policy can allow it.',
    remedy: 'Look at what else the record says of the request.',
  },
} as const
