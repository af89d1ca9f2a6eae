import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { configurationPage, configurationSchema } from './pages/configuration.ts'
import { errorsPage } from './pages/errors.ts'
import { reasonsPage } from './pages/reasons.ts'

/**
 * `npm run gen` writes docs/reference from the sources it describes; `npm run gen -- --check` writes nothing and
 * exits 1 where a committed page differs. A new page is one more line here.
 */
const PAGES: readonly { readonly file: string; readonly render: () => string }[] = [
  { file: 'configuration.md', render: configurationPage },
  { file: 'sallyport.schema.json', render: configurationSchema },
  { file: 'reasons.md', render: reasonsPage },
  { file: 'errors.md', render: errorsPage },
]

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs/reference')
const options = process.argv.slice(2)
const unknown = options.find((option) => option !== '--check')
if (unknown !== undefined) {
  console.error(`unknown option ${unknown}; usage: npm run gen [-- --check]`)
  process.exit(2)
}

const differing = PAGES.map(({ file, render }) => ({ path: join(folder, file), text: render() })).filter(
  ({ path, text }) => committed(path) !== text,
)
for (const { path, text } of differing) {
  const name = relative(root, path)
  if (options.includes('--check')) console.error(`${name} is not what its source says; run npm run gen`)
  else {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    console.log(`wrote ${name}`)
  }
}
if (options.includes('--check') && differing.length > 0) process.exitCode = 1

function committed(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
