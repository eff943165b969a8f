import { oneLine } from '@eas/base'
import { StoreError } from '../store-error.ts'

/** Linux allows 4,096 bytes in a path and 255 in a name; a root of our own stands before these. */
const maxPathBytes = 1024
const maxNameBytes = 255
const maxDepth = 32

/** Names that Windows and shares made by it keep for devices. */
const deviceName = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/**
 * The paths of one tree that is about to be written. Each is relative, of plain names, and no two could ever be taken
 * for the same file: not by a file system that ignores case, nor by one that normalizes Unicode.
 */
export class PathSet {
  private readonly doing: string
  /** Folded path → what stands there: the path as written, and whether as a folder. */
  private readonly known = new Map<string, { readonly path: string; readonly folder: boolean }>()

  constructor(doing: string) {
    this.doing = doing
  }

  /** The names of a file's path, to be joined to the root. @throws {StoreError} `invalid`, `too-large`. */
  addFile(path: string): readonly string[] {
    const names = this.split(path)
    this.addFolders(names.slice(0, -1))
    const already = this.known.get(fold(names.join('/')))
    if (already)
      throw this.wrong(
        path,
        already.path === path ? 'it is there twice' : `it could be taken for ${shown(already.path)}`,
      )
    this.known.set(fold(names.join('/')), { path: names.join('/'), folder: false })
    return names
  }

  /** The same for a folder, which may be named again. `''` and `.` are the root. */
  addFolder(path: string): readonly string[] {
    const bare = path.replace(/\/$/, '')
    if (bare === '' || bare === '.') return []
    const names = this.split(bare)
    this.addFolders(names)
    return names
  }

  private addFolders(names: readonly string[]): void {
    for (let depth = 1; depth <= names.length; depth++) {
      const path = names.slice(0, depth).join('/')
      const already = this.known.get(fold(path))
      if (already?.folder === false) throw this.wrong(path, 'a file stands where a folder is needed')
      if (already && already.path !== path) throw this.wrong(path, `it could be taken for ${shown(already.path)}`)
      this.known.set(fold(path), { path, folder: true })
    }
  }

  private split(path: string): string[] {
    if (Buffer.byteLength(path) > maxPathBytes) throw this.tooLarge(path, `its path is over ${maxPathBytes} bytes`)
    if (path.startsWith('/')) throw this.wrong(path, 'it is an absolute path')
    // `./name` is how tar writes what `tar -c .` finds.
    const names = path.replace(/^(\.\/)+/, '').split('/')
    if (names.length > maxDepth) throw this.tooLarge(path, `it is more than ${maxDepth} folders deep`)
    for (const name of names) {
      const wrong = wrongName(name)
      if (wrong) throw this.wrong(path, wrong)
    }
    return names
  }

  private wrong(path: string, why: string): StoreError {
    return new StoreError('invalid', `Cannot ${this.doing}: ${shown(path)}: ${why}`)
  }

  private tooLarge(path: string, why: string): StoreError {
    return new StoreError('too-large', `Cannot ${this.doing}: ${shown(path)}: ${why}`)
  }
}

const shown = (path: string) => JSON.stringify(oneLine(path, 80))

const fold = (path: string) => path.normalize('NFKC').toLowerCase().normalize('NFKC')

function wrongName(name: string): string | undefined {
  if (name === '') return 'it has an empty name'
  if (name === '.' || name === '..') return 'it has a dotted name'
  if (Buffer.byteLength(name) > maxNameBytes) return `a name is over ${maxNameBytes} bytes`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'it holds control characters'
  if (/[\ud800-\udfff]|\ufffd/u.test(name)) return 'it is not Unicode'
  if (/[\\]/.test(name)) return 'it holds a backslash'
  if (/^[a-z]:/i.test(name)) return 'it names a drive'
  if (/[. ]$/.test(name)) return 'a name ends with a dot or a space, which some file systems drop'
  if (/^(\.|\.\.)$/.test(name.normalize('NFKC'))) return 'it has a dotted name'
  if (name.normalize('NFKC').includes('/')) return 'it holds a character that could be taken for a slash'
  if (deviceName.test(name)) return 'it names a device'
  return undefined
}
