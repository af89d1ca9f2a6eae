import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'

// Processes and threads load the same modules over and over. The cache stands beside the program, never in a shared
// temporary folder, where another user could put code into it; where it cannot be written, nothing is cached.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'sallyport'))

/** Composes by role; every role is loaded only where it is played. */
if (!isMainThread && parentPort !== null) {
  const data: { readonly role?: string } = workerData
  if (data.role === 'thread') (await import('./roles/thread.ts')).runThread(workerData, parentPort)
  else if (data.role === 'replay')
    await (await import('./roles/replay-thread.ts')).runReplayThread(workerData, parentPort)
  else if (data.role === 'compiler') (await import('./roles/compiler.ts')).runCompiler(workerData, parentPort)
} else if (process.argv.includes('--role=gate')) {
  ;(await import('./roles/gate.ts')).runGate()
} else {
  await (await import('./roles/cli.ts')).runCli(process.argv)
}
