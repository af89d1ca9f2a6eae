import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import { SallyportError } from '../model/errors.ts'
import type { SyncPort } from './segment.ts'

/** Syncs in the calling thread: for control, whose few lines may take their time, and for tools. */
export const DIRECT_SYNC: SyncPort = {
  watch(path) {
    const fd = openSync(path, 'r+')
    let failed = false
    return {
      wrote() {},
      async synced() {
        try {
          fdatasyncSync(fd)
        } catch (error) {
          failed = true
          const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
          throw new SallyportError(
            'audit-write-failed',
            `The record in ${path} did not get to the disk: ${code}`,
            { file: path, code },
            error,
          )
        }
      },
      get failed() {
        return failed
      },
      close() {
        closeSync(fd)
      },
    }
  },
}
