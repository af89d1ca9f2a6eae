// Plain JavaScript on purpose, as bin/sallyport.js: an older Node must be able to read it, to be told what is missing.
import { createRequire } from 'node:module'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15))
  throw new Error(`sallyport/middleware needs Node.js 24.15 or newer; this is ${process.versions.node}.`)

// Not a static import, which would be linked before the version is looked at; not awaited, so that `require` works too.
export const { openGate, SallyportError } = createRequire(import.meta.url)('../dist/middleware.js')
