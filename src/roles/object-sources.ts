import { Findings } from '../config/findings.ts'
import { extensionSettings, withExtensions } from '../config/object-extensions.ts'
import { checkRules } from '../config/object-rules.ts'
import { ConfigError } from '../config/place.ts'
import type { ReadApi, ReadConfig } from '../config/read.ts'
import { readExtensions } from '../contract/extension.ts'

/**
 * The configuration with the object rules and settings that contracts hold themselves (`x-sallyport`), checked together
 * with those of configuration and of the files beside contracts.
 * @throws {ConfigError} `config-invalid`, each problem in the file it stands in.
 */
export function withContractRules(read: ReadConfig): ReadConfig {
  const findings = new Findings()
  const apis = read.apis.map((api): ReadApi => {
    if (api.contract === null) return api
    const extensions = readExtensions(api.contract.text, api.contract.file, api.contract.parts)
    if (extensions.length === 0) return api
    const contract = { file: api.contract.file, text: api.contract.text, base: [] }
    const rules = withExtensions(api.rules, extensions, contract, findings)
    checkRules(rules, api.settings.identity?.accept ?? [], findings)
    const operations = extensionSettings(api, extensions, contract, findings)
    return { ...api, settings: { ...api.settings, operations }, rules }
  })
  if (findings.problems.length > 0)
    throw new ConfigError('config-invalid', findings.problems, read.files, read.folders)
  return { ...read, apis }
}
