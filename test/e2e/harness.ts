import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type SampleGate,
  type Services,
  startGate,
  startServices,
  writeSampleConfig,
} from '../../demo/sample-gate.ts'

/** The shop, its provider and a gate in front, on free ports with a store of their own. */
export interface DemoGate {
  readonly url: string
  readonly management: string
  readonly store: string
  readonly config: string
  readonly folder: string
  readonly services: Services
  readonly gate: SampleGate
  token: Services['token']
  stop(): Promise<void>
}

export interface DemoGateOptions {
  readonly mode?: 'enforce' | 'observe'
  readonly threads?: number
  /** Lines added at the configuration's top level. */
  readonly top?: string
}

export async function startDemoGate(options: DemoGateOptions = {}): Promise<DemoGate> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  const services = await startServices({ shop: 0, provider: 0 })
  try {
    const config = writeSampleConfig(folder, { ...services, port: 0, managementPort: 0 }, options)
    const gate = await startGate(config, { gate: 0, management: 0 })
    const { url, management, store } = gate
    return {
      url,
      management,
      store,
      config,
      folder,
      services,
      gate,
      token: services.token,
      stop: async () => {
        await gate.stop()
        await services.stop()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await services.stop()
    throw error
  }
}
