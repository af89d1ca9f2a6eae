import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A proxy of another's making that asks the gate for decisions and forwards what is allowed. */
export interface RunningProxy {
  readonly url: string
  said(): string
  stop(): Promise<void>
}

export interface EnvoyOptions {
  /** Host and port of the upstream. */
  readonly upstream: string
  readonly ask: { readonly kind: 'grpc' | 'http'; readonly port: number }
  /** `with_request_body`; left out: none. */
  readonly maxRequestBytes?: number
  readonly rawHeaders?: boolean
}

/** Envoy as docs/how-to/behind-a-proxy.md has it. */
export async function startEnvoy(program: string, options: EnvoyOptions): Promise<RunningProxy> {
  const port = await freePort()
  return start(program, port, (folder) => {
    const file = join(folder, 'envoy.json')
    writeFileSync(file, JSON.stringify(envoyConfig(port, options)))
    return ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warn']
  })
}

function envoyConfig(port: number, { upstream, ask, maxRequestBytes, rawHeaders }: EnvoyOptions): unknown {
  const body =
    maxRequestBytes === undefined
      ? {}
      : {
          with_request_body: {
            max_request_bytes: maxRequestBytes,
            allow_partial_message: true,
            pack_as_bytes: true,
          },
        }
  const service =
    ask.kind === 'grpc'
      ? { grpc_service: { envoy_grpc: { cluster_name: 'sallyport' }, timeout: '5s' } }
      : {
          http_service: {
            server_uri: { uri: `http://127.0.0.1:${ask.port}`, cluster: 'sallyport', timeout: '5s' },
            path_prefix: '/ask',
            authorization_request: {
              headers_to_add: [{ key: 'x-real-ip', value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' }],
            },
            authorization_response: {
              allowed_upstream_headers: { patterns: [{ exact: 'authorization' }] },
              allowed_client_headers_on_success: { patterns: [{ exact: 'sallyport-exchange' }] },
            },
          },
          allowed_headers: { patterns: [{ safe_regex: { regex: '.*' } }] },
        }
  return {
    static_resources: {
      listeners: [
        {
          address: { socket_address: { address: '127.0.0.1', port_value: port } },
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: {
                    '@type':
                      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                    stat_prefix: 'calls',
                    use_remote_address: true,
                    route_config: {
                      virtual_hosts: [
                        {
                          name: 'all',
                          domains: ['*'],
                          routes: [{ match: { prefix: '/' }, route: { cluster: 'shop' } }],
                        },
                      ],
                    },
                    http_filters: [
                      {
                        name: 'envoy.filters.http.ext_authz',
                        typed_config: {
                          '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
                          transport_api_version: 'V3',
                          failure_mode_allow: false,
                          ...(rawHeaders === true ? { encode_raw_headers: true } : {}),
                          ...service,
                          ...body,
                        },
                      },
                      {
                        name: 'envoy.filters.http.router',
                        typed_config: {
                          '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
                        },
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        cluster('shop', upstream, false),
        cluster('sallyport', `127.0.0.1:${ask.port}`, ask.kind === 'grpc'),
      ],
    },
  }
}

function cluster(name: string, authority: string, http2: boolean): unknown {
  const [address, port] = authority.split(':')
  const endpoint = { address: { socket_address: { address, port_value: Number(port) } } }
  return {
    name,
    type: 'STATIC',
    connect_timeout: '2s',
    ...(http2
      ? {
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        }
      : {}),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  }
}

/** Debian's nginx with auth_request, as docs/how-to/behind-a-proxy.md has it. */
export async function startNginx(
  program: string,
  { upstream, ask }: { readonly upstream: string; readonly ask: number },
): Promise<RunningProxy> {
  const port = await freePort()
  return start(program, port, (folder) => {
    mkdirSync(join(folder, 'temp'))
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/temp/${name};`)
      .join(' ')
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off; ${temp}
  server {
    listen 127.0.0.1:${port};
    location / {
      auth_request /sallyport;
      auth_request_set $sallyport_authorization $upstream_http_authorization;
      auth_request_set $sallyport_exchange $upstream_http_sallyport_exchange;
      proxy_set_header Authorization $sallyport_authorization;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Original-Method "";
      proxy_set_header X-Original-URI "";
      proxy_set_header X-Original-Host "";
      proxy_set_header X-Original-Proto "";
      add_header Sallyport-Exchange $sallyport_exchange always;
      proxy_pass http://${upstream};
    }
    location = /sallyport {
      internal;
      proxy_pass http://127.0.0.1:${ask};
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Original-Host $http_host;
      proxy_set_header X-Original-Proto $scheme;
      proxy_set_header X-Real-IP $remote_addr;
    }
  }
}
`,
    )
    return ['-p', folder, '-c', join(folder, 'nginx.conf')]
  })
}

async function start(
  program: string,
  port: number,
  prepare: (folder: string) => string[],
): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-proxy-'))
  const child = spawn(program, prepare(folder), { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-16_384)
    })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const forced = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await ended
    clearTimeout(forced)
    rmSync(folder, { recursive: true, force: true })
  }
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt++) {
    if (await answers(port)) return { url: `http://127.0.0.1:${port}`, said: () => said, stop }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await stop()
  throw new Error(`${program} did not start: ${said}`)
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

const given = new Set<number>()

/** A port nobody listens on, and that was not given before: the system may offer one again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await offeredPort()
    if (given.has(port)) continue
    given.add(port)
    return port
  }
}

function offeredPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
