/** Why a caller is not identified, or may not do what it asks by its token alone (RFC 6750 §3.1). */
export const IDENTITY_REASONS = {
  'token-missing': {
    status: 401,
    title: 'The operation asks for an access token.',
    remedy: 'Send Authorization: Bearer with a token of an accepted issuer.',
  },
  'token-in-query': {
    status: 400,
    title: 'Access tokens are accepted in the Authorization field only.',
    remedy: 'Move the token from the query to the Authorization field.',
  },
  'credentials-repeated': {
    status: 400,
    title: 'There is more than one Authorization field.',
    remedy: 'Send one.',
  },
  'scheme-unsupported': {
    status: 401,
    title: 'The gate cannot check the authentication scheme the operation asks for.',
    remedy: 'Declare a bearer scheme, or set credential: pass for the API.',
  },
  'token-too-large': {
    status: 431,
    title: 'The token is larger than the gate accepts.',
    remedy: 'Issue smaller tokens, or raise limits.tokenBytes.',
  },
  'token-malformed': {
    status: 401,
    title: 'The token is not a JWT access token.',
    remedy: 'Send a signed JWT in compact form (RFC 7519).',
  },
  'token-type-refused': {
    status: 401,
    title: 'The token is not an access token by its typ.',
    remedy: 'Have the issuer send at+jwt, or list the typ under the issuer’s types.',
  },
  'algorithm-refused': {
    status: 401,
    title: 'The token’s algorithm is not allowed for its issuer or key.',
    remedy: 'Sign with an algorithm of the issuer’s allow-list.',
  },
  'issuer-unknown': {
    status: 401,
    title: 'No configured issuer has the token’s iss.',
    remedy: 'Add the issuer under identity.issuers.',
  },
  'issuer-refused': {
    status: 401,
    title: 'The API does not accept this issuer.',
    remedy: 'Add the issuer to the API’s identity.accept.',
  },
  'key-unknown': {
    status: 401,
    title: 'The issuer’s current key set has no such key.',
    remedy: 'Get a new token; if it persists, the issuer does not publish its signing key.',
  },
  'keys-unavailable': {
    status: 503,
    title: 'The issuer’s keys cannot be fetched at the moment.',
    remedy: 'Restore the issuer’s key set endpoint.',
  },
  'signature-invalid': {
    status: 401,
    title: 'The token’s signature does not verify.',
    remedy: 'Get a token from the issuer.',
  },
  'token-expired': { status: 401, title: 'The token has expired.', remedy: 'Get a new token.' },
  'token-not-yet-valid': {
    status: 401,
    title: 'The token is not valid yet.',
    remedy: 'Check the clocks of issuer and gate.',
  },
  'token-too-old': {
    status: 401,
    title: 'The token was issued longer ago than the API accepts.',
    remedy: 'Get a new token, or raise the API’s identity.maxTokenAgeSeconds.',
  },
  'audience-mismatch': {
    status: 401,
    title: 'The token is meant for another API.',
    remedy: 'Ask the issuer for a token for this API’s audience.',
  },
  'claim-invalid': {
    status: 401,
    title: 'A required claim is missing or has the wrong form.',
    remedy: 'Have the issuer send the claims RFC 9068 §2.2 requires.',
  },
  'token-revoked': { status: 401, title: 'The token has been revoked.', remedy: 'Get a new token.' },
  'subject-revoked': {
    status: 401,
    title: 'The subject’s tokens have been revoked.',
    remedy: 'Sign in again.',
  },
  'insufficient-scope': {
    status: 403,
    title: 'The token lacks a scope the contract asks for.',
    remedy: 'Grant the scope to the client and get a new token.',
  },

  // Trust zones (NIST SP 800-207 §3.1.2)
  'lateral-movement': {
    status: 403,
    title: 'The API does not take this call from where it comes.',
    remedy: 'Add a flow from the caller’s zone to the API’s, or call from a zone that has one.',
  },
} as const
