import { type Duplex, PassThrough, type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { oneLine } from '@eas/base'
import { extract, type Header } from 'tar-stream'
import { StoreError } from '../store-error.ts'
import { bunzip2 } from './bzip2.ts'
import type { UnpackMeter } from './limits.ts'
import type { TreeWriter } from './tree-writer.ts'

export type TarKind = 'tar' | 'tar.gz' | 'tar.bz2'

/** What makes a tar stream of each kind's bytes. `refuse` is told how many have come out, where they could pile up. */
export const tarDecompressors: { readonly [K in TarKind]: (refuse: (bytes: number) => void) => Duplex } = {
  tar: () => new PassThrough(),
  'tar.gz': () => createGunzip(),
  'tar.bz2': bunzip2,
}

/** Entry types that are not files or folders and carry nothing for either. */
const folders: ReadonlySet<string> = new Set(['directory'])
const files: ReadonlySet<string> = new Set(['file', 'contiguous-file'])

/** The entries of a tar stream, ustar, pax or GNU, one after the other into `writer`. */
export async function readTar(
  source: Readable,
  decompressor: (refuse: (bytes: number) => void) => Duplex,
  writer: TreeWriter,
  meter: UnpackMeter,
): Promise<void> {
  let bytes = 0
  // Seen before tar-stream buffers any of it.
  const metered = new Transform({
    transform(chunk: Buffer, _, callback) {
      bytes += chunk.length
      try {
        meter.check(bytes)
        callback(null, chunk)
      } catch (error) {
        callback(error as Error)
      }
    },
  })
  const tar = extract()
  const flowing = pipeline(
    source,
    decompressor((bytes) => meter.check(bytes)),
    metered,
    tar,
  )
  let failure: unknown
  flowing.catch((error) => {
    failure = error
  })
  let entries = 0
  try {
    for await (const entry of tar) {
      entries++
      // tar-stream types its chunks as unknown; they are those of a stream of bytes.
      const content = entry as AsyncIterable<unknown> as AsyncIterable<Uint8Array>
      await write(entry.header, content, () => entry.resume(), writer)
    }
  } catch (error) {
    source.destroy()
    await flowing.catch(() => {})
    // The first cause is what the pipeline ended with, unless the end came from here.
    throw error instanceof StoreError ? error : (failure ?? error)
  }
  await flowing
  if (entries === 0) throw new StoreError('corrupt', 'Cannot unpack: there is nothing in it')
}

const shown = (name: string) => JSON.stringify(oneLine(name, 80))

async function write(
  { name, type, size = 0, pax }: Header,
  content: AsyncIterable<Uint8Array>,
  skip: () => unknown,
  writer: TreeWriter,
): Promise<void> {
  // Of the formats of GNU tar for files with holes, two are told by a type, and the others are a map within the content.
  const isSparse = Object.keys(pax ?? {}).some((key) => key.startsWith('GNU.sparse.'))
  if (isSparse)
    throw new StoreError('invalid', `Cannot unpack: ${shown(name)} is a sparse file; pack it without --sparse`)
  if (folders.has(`${type}`) || (type === 'file' && name.endsWith('/') && size === 0)) {
    await writer.folder(name)
    skip()
  } else if (files.has(`${type}`)) {
    const written = await writer.file(name, size, content)
    if (written.size !== size)
      throw new StoreError('corrupt', `Cannot unpack: an entry ended after ${written.size} of ${size} bytes`)
  } else {
    const kind = type === null || type === undefined ? 'of an unknown kind' : `a ${type}`
    throw new StoreError('invalid', `Cannot unpack: ${shown(name)} is ${kind}, not a file or folder`)
  }
}
