import { Buffer } from 'node:buffer'
import { crc32, deflateRawSync } from 'node:zlib'

/** One file of an archive: its contents, and what the directory says when that is to be a lie. */
export interface ArchiveFile {
  readonly contents: Uint8Array | string
  readonly deflated?: boolean
  /** Size after inflating, as the directory has it. */
  readonly claimedSize?: number
}

/**
 * A ZIP archive as torch.jit.save lays it out, of any files: what is hostile about it is the caller's.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function archiveOf(files: Readonly<Record<string, ArchiveFile | string | Uint8Array>>): Uint8Array {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [path, given] of Object.entries(files)) {
    const file = typeof given === 'string' || given instanceof Uint8Array ? { contents: given } : given
    const contents = Buffer.from(file.contents as Uint8Array) // a string is taken as well
    const packed = file.deflated ? deflateRawSync(contents) : contents
    const name = Buffer.from(`archive/${path}`)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(file.deflated ? 8 : 0, 4)
    fields.writeUInt32LE(crc32(contents), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(file.claimedSize ?? contents.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name, packed])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, rest, name]))
    parts.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(directory.length, 8)
  end.writeUInt16LE(directory.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return new Uint8Array(Buffer.concat([...parts, central, end]))
}

/** The pickle of a module `M` without attributes. */
export const emptyModule = Buffer.from('\x80\x02c__torch__\nM\n)\x81}b.', 'latin1')
/** The pickle of an empty tuple: no constants. */
export const noConstants = Buffer.from('\x80\x02).', 'latin1')

/** An archive whose `forward(self, x)` has these lines, and beside it these functions. */
export function archiveOfCode(body: readonly string[], functions: readonly string[] = []): Uint8Array {
  const lines = ['class M(Module):', '  __parameters__ = []', '  __buffers__ = []']
  lines.push('  def forward(self: __torch__.M,', '    x: Tensor) -> Tensor:', ...body.map((line) => `    ${line}`))
  const source = [...lines, ...functions, ''].join('\n')
  return archiveOf({
    'data.pkl': emptyModule,
    'code/__torch__.py': source,
    'constants.pkl': noConstants,
    version: '3\n',
  })
}
