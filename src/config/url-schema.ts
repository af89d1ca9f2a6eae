import { z } from 'zod'

const listedHost = z
  .string()
  .regex(
    /^(?:\*\.)?[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$|^[0-9a-f:.]+$/,
    'a host name in lower case, or *.suffix',
  )
const scheme = z.string().regex(/^[a-z][a-z0-9+.-]{0,30}$/, 'a scheme in lower case')

/** Whom URLs in an API's requests may name. */
export const urlSettings = z
  .strictObject({
    hosts: z
      .array(listedHost)
      .min(1)
      .max(1_000)
      .optional()
      .describe(
        'Hosts that URLs may name: `api.partner.example`, or `*.partner.example` for all names below it. Left out: any that is public.',
      ),
    schemes: z
      .array(scheme)
      .min(1)
      .max(16)
      .optional()
      .describe(
        'Schemes that URLs may have: `https`. Left out: any but those that read files or speak to other services.',
      ),
    ports: z
      .array(z.int().min(1).max(65_535))
      .min(1)
      .max(64)
      .optional()
      .describe('Ports that URLs may have. Left out: any.'),
    private: z
      .enum(['deny', 'allow'])
      .default('deny')
      .describe(
        'What becomes of URLs that name a host inside a network: loopback, private and metadata addresses, local names, and listed names that resolve to such. `allow` and nothing else: URLs are not looked at.',
      ),
  })
  .describe(
    'URLs in requests: fields and parameters of format `uri`, `url`, `iri` or their references, those annotated `x-sallyport: { url: … }`, and, where this stands, `hostname`. What it lists stands for the whole API; an annotation says it for one field. Left out: `private: deny`.',
  )
