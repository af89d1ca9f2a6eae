import { closeSync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { SallyportError } from '../model/errors.ts'

/**
 * Appends to control's few own files and waits for the disk. A line left unfinished by an earlier crash is ended
 * first, so that it spoils itself only.
 */
export function appendFile(path: string, text: string): void {
  try {
    const fd = openSync(path, 'a+', 0o600)
    try {
      const { size } = fstatSync(fd)
      const last = Buffer.alloc(1)
      if (size > 0) readSync(fd, last, 0, 1, size - 1)
      const bytes = Buffer.from(size > 0 && last[0] !== 10 ? `\n${text}` : text, 'utf8')
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(fd, bytes, offset)
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new SallyportError(
      'audit-write-failed',
      `${path} cannot be written: ${code}`,
      { file: path, code },
      error,
    )
  }
}
