import { dirname, join, relative, resolve } from 'node:path'
import { type ContractPart, readContractParts } from '../../config/contract-parts.ts'
import { readTextFile } from '../../config/files.ts'
import { type CompiledContract, compileContract } from '../../contract/compile.ts'
import { faultAt, readDocument } from '../../contract/document.ts'
import { SallyportError } from '../../model/errors.ts'
import type { OperationPlan } from '../../model/operation.ts'
import { configText, freePorts, type Ports } from './config-text.ts'
import { compileSchema, isGraphqlFile } from './graphql-draft.ts'
import { oneLine } from './literal.ts'
import { apiName, issuerName } from './names.ts'
import type { NewFile } from './new-files.ts'
import { type ObjectSuggestion, suggestObjects } from './owner-field.ts'
import { policyText } from './policy-text.ts'
import type { InitRequest } from './request.ts'
import { type Survey, surveyAccess, type UncheckableScheme, uncheckableSchemes } from './survey.ts'
import { testText } from './test-text.ts'

/** What configuration reads too; the largest published contracts have 6 MB. */
const MAX_CONTRACT_BYTES = 32 * 1_048_576

/** A contract that can be read, and the names that init goes by. */
export interface Outline {
  readonly request: InitRequest
  readonly text: string
  readonly parts: ReadonlyMap<string, ContractPart>
  /** Null of a GraphQL schema. */
  readonly root: Readonly<Record<string, unknown>> | null
  readonly api: string
  readonly issuer: string
  /** sallyport.yaml, then the policies and their tests. */
  readonly paths: readonly [string, string, string]
}

export interface Draft {
  readonly api: string
  readonly issuer: string
  readonly title: string
  readonly audience: { readonly value: string; readonly assumed: boolean }
  readonly basePath: string
  readonly ports: Ports
  readonly operations: readonly OperationPlan[]
  readonly survey: Survey
  readonly schemes: readonly UncheckableScheme[]
  readonly objects: readonly ObjectSuggestion[]
  readonly files: readonly NewFile[]
}

/** @throws {SallyportError} `contract-invalid`, with the place where there is one. */
export function outline(request: InitRequest): Outline {
  const file = request.contract
  const read = readTextFile(file, MAX_CONTRACT_BYTES)
  if (!read.ok) {
    const hint = read.missing
      ? ' (--contract names an OpenAPI 3.x or Swagger 2.0 file, in YAML or JSON, or a GraphQL schema, on this machine)'
      : ''
    throw new SallyportError('contract-invalid', `the contract ${oneLine(file, 512)} ${read.why}${hint}`, {
      file,
    })
  }
  const graphql = isGraphqlFile(file)
  const parts = graphql ? new Map() : readContractParts(file, read.text, () => undefined)
  const root = graphql ? null : readDocument(read.text, file, parts).root
  const info = root?.['info']
  const title = typeof info === 'object' && info !== null && 'title' in info ? info.title : ''
  const api = request.name ?? apiName(typeof title === 'string' ? title : '', file)
  return {
    request,
    text: read.text,
    parts,
    root,
    api,
    issuer: issuerName(request.issuer),
    paths: [
      join(request.out, 'sallyport.yaml'),
      join(request.out, 'policies', `${api}.cedar`),
      join(request.out, 'policies', `${api}.test.yaml`),
    ],
  }
}

/**
 * The files as they will be written; seconds for the largest contracts.
 * @throws {SallyportError} `contract-invalid` for what cannot be compiled, or has no operations.
 */
export function draft({ request, text, parts, root, api, issuer, paths }: Outline): Draft {
  const file = request.contract
  const compiled: CompiledContract =
    root === null
      ? compileSchema(api, text, file)
      : compileContract({ api, text, file, parts, objects: {}, credential: 'replace' })
  // Of a GraphQL schema, policies name its fields: the endpoint itself needs no permit.
  const operations = compiled.operations
    .map(({ plan }) => plan)
    .filter(({ graphql }) => graphql !== 'endpoint')
  if (operations.length === 0) {
    const message = 'the contract has no operations, so there is nothing to protect: declare them under paths'
    throw faultAt({ text, file }, '/paths', message)
  }
  const unnameable = operations.find(({ key }) => !key.isWellFormed())
  if (unnameable !== undefined) {
    const message = `an operation’s name is not well-formed Unicode, so no policy can name it: ${oneLine(unnameable.key)}`
    throw new SallyportError('contract-invalid', `${file}: ${message}`, { file })
  }
  const survey = surveyAccess(operations)
  const objects = root === null ? [] : suggestObjects(root, operations)
  const audience = request.audience ?? api
  const ports = freePorts([request.upstream, request.issuer, request.jwks ?? ''])
  const common = { api, survey, objects }
  const config = configText({
    ...common,
    issuerName: issuer,
    issuer: request.issuer,
    ...(request.jwks === undefined ? {} : { jwks: request.jwks }),
    audience,
    audienceAssumed: request.audience === undefined,
    contract: relativePath(dirname(paths[0]), file),
    graphql: root === null,
    upstream: request.upstream,
    basePath: compiled.basePath,
    ports,
  })
  return {
    ...common,
    issuer,
    title: compiled.title,
    audience: { value: audience, assumed: request.audience === undefined },
    basePath: compiled.basePath,
    ports,
    operations,
    schemes: uncheckableSchemes(survey),
    files: [
      { path: paths[0], text: config },
      { path: paths[1], text: policyText({ ...common, issuer }) },
      { path: paths[2], text: testText(api, issuer, survey) },
    ],
  }
}

function relativePath(folder: string, file: string): string {
  const path = relative(resolve(folder), resolve(file))
  return path.startsWith('../') ? path : `./${path}`
}
