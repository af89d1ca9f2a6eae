import { extname, join } from 'node:path'

/** The program itself, as source or compiled: processes and threads are the same program in another role. */
export const ENTRY = join(import.meta.dirname, '..', `main${extname(import.meta.filename)}`)
