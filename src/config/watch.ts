import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, parse, resolve, sep } from 'node:path'
import { watch } from 'chokidar'

/** Notices that configuration changed on disk; reading it is `readConfig`'s. */

/** Editors and deployments write in bursts; a reload in the middle would read half of it. */
const QUIET_MS = 200
/** Something else writing beside the configuration all the time must not put a reload off for ever. */
const LONGEST_MS = 2000

/** Links followed on the way to one path, as systems bound them. */
const MAX_LINKS = 40

/** Absolute paths, as `ReadConfig` and `ConfigError` give them. */
export interface Watched {
  readonly files: readonly string[]
  readonly folders: readonly string[]
}

export interface ConfigWatch {
  /** Resolves once changes are seen. */
  readonly ready: Promise<void>
  /** After a reading, successful or not: it may have named other files. */
  update(watched: Watched): void
  close(): Promise<void>
}

/**
 * Calls `onChange` once a change has been quiet for 200 ms. Events are hints only: what counts is that a file's real
 * path, inode, size or modification time differs, or the listing of a folder. So atomic renames and the swap of a
 * symbolic link above the file (Kubernetes' `..data`) are seen, and other files beside them are not.
 */
export function watchConfig(
  watched: Watched,
  onChange: () => void,
  onError: (error: unknown) => void,
): ConfigWatch {
  let current = watched
  let seen = stampsOf(current)
  let timer: NodeJS.Timeout | null = null
  let latest: NodeJS.Timeout | null = null
  let places = placesOf(current)
  let closed = false

  const settle = (): void => {
    if (timer !== null) clearTimeout(timer)
    if (latest !== null) clearTimeout(latest)
    timer = latest = null
    // Also where nothing watched changed: a folder on the way to what is missing may have come to be.
    follow()
    const now = stampsOf(current)
    if ([...now].every(([path, stamp]) => seen.get(path) === stamp)) return
    seen = now
    onChange()
  }
  const stir = (): void => {
    if (closed) return
    if (timer !== null) clearTimeout(timer)
    timer = setTimeout(settle, QUIET_MS)
    latest ??= setTimeout(settle, LONGEST_MS)
  }
  const open = (): { readonly ready: Promise<void>; close(): Promise<void> } => {
    // Folders, not files: a file replaced by a rename would leave the watch on the one that is gone.
    const watcher = watch([...places], {
      depth: 0,
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
    })
    watcher.on('all', stir).on('error', onError)
    const ready = new Promise<void>((done) => {
      watcher.once('ready', () => {
        // What changed before this moment caused no event.
        stir()
        done()
      })
    })
    return { ready, close: () => watcher.close() }
  }
  let watcher = open()
  const follow = (): void => {
    const next = placesOf(current)
    if (next.size === places.size && [...next].every((place) => places.has(place))) return
    places = next
    // A new watcher, since taking a folder out of one also ignores what lies below it.
    watcher.close().catch(onError)
    watcher = open()
  }

  return {
    ready: watcher.ready,
    update(next) {
      current = next
      // Of paths already watched the older stamp is kept: they may have changed after they were read.
      const before = seen
      seen = new Map([...stampsOf(next)].map(([path, stamp]) => [path, before.get(path) ?? stamp]))
      follow()
      stir()
    },
    async close() {
      closed = true
      if (timer !== null) clearTimeout(timer)
      if (latest !== null) clearTimeout(latest)
      await watcher.close()
    },
  }
}

/**
 * Every folder whose entries decide what a watched path means: its own, the real one, and those of links on the way;
 * of what is not there yet the nearest that is, so that coming to be changes the list.
 */
function placesOf({ files, folders }: Watched): ReadonlySet<string> {
  const places = new Set<string>()
  for (const path of [...files, ...folders]) {
    places.add(nearestFolder(dirname(path)))
    const real = realOf(path)
    if (real !== null) places.add(dirname(real))
    if (real !== null && isFolder(real)) places.add(real)
    for (const folder of linkFolders(path)) places.add(folder)
  }
  return places
}

function nearestFolder(path: string): string {
  let at = path
  while (at !== dirname(at) && !isFolder(at)) at = dirname(at)
  return at
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function linkFolders(path: string): readonly string[] {
  const { root } = parse(path)
  const found: string[] = []
  let at = root
  let left = path.slice(root.length).split(sep)
  while (left.length > 0 && found.length < MAX_LINKS) {
    const [part = '', ...rest] = left
    const target = targetOf(join(at, part))
    if (target === null) {
      at = join(at, part)
      left = rest
    } else {
      found.push(at)
      const next = resolve(at, target)
      at = parse(next).root
      left = [...next.slice(at.length).split(sep), ...rest]
    }
  }
  return found
}

function targetOf(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}

/** What a change of each path would change. */
function stampsOf({ files, folders }: Watched): ReadonlyMap<string, string> {
  return new Map([...files, ...folders].map((path) => [path, stampOf(path)]))
}

function stampOf(path: string): string {
  try {
    const real = realpathSync(path)
    const status = statSync(real, { bigint: true })
    if (status.isDirectory()) return `${real} ${listingOf(path)}`
    return `${real} ${status.ino} ${status.size} ${status.mtimeNs}`
  } catch {
    return 'absent'
  }
}

function realOf(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function listingOf(path: string): string {
  try {
    return readdirSync(path).sort().join('/')
  } catch {
    return 'absent'
  }
}
