import type { DecisionPointSettings } from '../../model/channel.ts'
import { AskServer } from './ask-server.ts'
import { Authzen } from './authzen.ts'
import type { DecisionPoint, DecisionPorts } from './decision-server.ts'
import { ExtAuthz } from './ext-authz.ts'
import { extAuthzHttp } from './ext-authz-http.ts'
import { forwardAuth } from './forward-auth.ts'

/** `headBytes`: what the parser takes of one request's head. */
export function decisionPoint(
  settings: DecisionPointSettings,
  ports: DecisionPorts,
  headBytes: number,
): DecisionPoint {
  switch (settings.kind) {
    case 'ext-authz':
      return new ExtAuthz(settings, ports)
    case 'ext-authz-http':
      return new AskServer(settings, extAuthzHttp(settings), ports, headBytes)
    case 'forward-auth':
      return new AskServer(settings, forwardAuth(settings), ports, headBytes)
    case 'authzen':
      return new Authzen(settings, ports, headBytes)
  }
}
