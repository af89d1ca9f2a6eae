// oidc-provider 9.13.3 ships no types. Only what demo/provider.ts uses is declared here.
declare module 'oidc-provider' {
  import type { RequestListener } from 'node:http'

  export interface Client {
    readonly clientId: string
  }

  export interface ResourceServer {
    readonly scope: string
  }

  export interface Context {
    body: unknown
    type: string
    readonly oidc: {
      readonly client: Client
      readonly params: Readonly<Record<string, string | undefined>>
      /** The form as sent, before parameters the grant does not name are dropped. */
      readonly body: Readonly<Record<string, string | undefined>> | undefined
    }
  }

  export interface AccessToken {
    readonly accountId?: string
    readonly kind: string
    scope: string | undefined
    resourceServer: ResourceServer
    save(): Promise<string>
  }

  export class Provider {
    constructor(issuer: string, configuration: object)
    readonly AccessToken: new (payload: {
      accountId: string
      client: Client
      gty: string
      iat: number
      exp: number
    }) => AccessToken
    readonly ResourceServer: new (
      identifier: string,
      data: object,
    ) => ResourceServer
    registerGrantType(name: string, handler: (context: Context) => Promise<void>, parameters: string[]): void
    callback(): RequestListener
  }

  type DescribedError = new (description: string) => Error
  export const errors: {
    readonly InvalidRequest: DescribedError
    readonly InvalidScope: DescribedError
    readonly InvalidTarget: DescribedError
  }
}
