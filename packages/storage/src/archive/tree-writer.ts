import { constants } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkStopped } from '../store-error.ts'
import { crc32, crcHex } from '../transfer/crc.ts'
import type { UnpackMeter } from './limits.ts'
import { PathSet } from './path-set.ts'

export interface Unpacked {
  /** CRC-32 and size of each file, by its path. */
  readonly files: ReadonlyMap<string, { readonly size: number; readonly crc32: string }>
  readonly bytes: number
}

/** Writes the entries of an archive below a folder that is all its own. */
export class TreeWriter {
  private readonly root: string
  private readonly meter: UnpackMeter
  private readonly paths: PathSet
  private readonly signal: AbortSignal | undefined
  private readonly doing: string
  private readonly files = new Map<string, { size: number; crc32: string }>()

  constructor(root: string, meter: UnpackMeter, doing: string, signal: AbortSignal | undefined) {
    this.root = root
    this.meter = meter
    this.doing = doing
    this.signal = signal
    this.paths = new PathSet(doing)
  }

  async folder(path: string): Promise<void> {
    this.meter.entry()
    await mkdir(join(this.root, ...this.paths.addFolder(path)), { recursive: true })
  }

  /** @returns The file's size and CRC-32, for archives that know what they should be. */
  async file(path: string, size: number, content: AsyncIterable<Uint8Array>): Promise<{ size: number; crc32: number }> {
    this.meter.entry()
    this.meter.expect(size)
    const names = this.paths.addFile(path)
    const place = join(this.root, ...names)
    await mkdir(dirname(place), { recursive: true })
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
    const file = await open(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
    let crc = 0
    let bytes = 0
    try {
      for await (const chunk of content) {
        checkStopped(this.signal, this.doing)
        this.meter.add(chunk.length)
        crc = crc32.update(chunk, crc)
        bytes += chunk.length
        await file.writeFile(chunk)
      }
    } finally {
      await file.close()
    }
    this.files.set(names.join('/'), { size: bytes, crc32: crcHex(crc) })
    return { size: bytes, crc32: crc }
  }

  finish(): Unpacked {
    return { files: this.files, bytes: this.meter.bytes }
  }
}
