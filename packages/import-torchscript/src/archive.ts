import type { Buffer } from 'node:buffer'
import {
  bytesOf,
  type Content,
  checkExternalRange,
  type ElementType,
  fromBytes,
  type ModelSource,
  maxElements,
  refuse,
  scalar,
  type Value,
} from '@eas/onnx'
import { limits } from './limits.ts'
import { type PickledTensor, readPickle, type Storage } from './pickle.ts'
import { TensorRef } from './tensor-ref.ts'
import { type Py, PyDict, PyObject, PyTuple } from './values.ts'
import { Zip, type ZipEntry } from './zip.ts'

/** Element types of storages. `torch.QInt8Storage` and its kin hold the integers of quantised tensors. */
const storageTypes: Readonly<Record<string, ElementType>> = {
  'torch.FloatStorage': 'float32',
  'torch.DoubleStorage': 'float64',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
  'torch.ComplexFloatStorage': 'complex64',
  'torch.ComplexDoubleStorage': 'complex128',
  'torch.QInt8Storage': 'int8',
  'torch.QUInt8Storage': 'uint8',
  'torch.QInt32Storage': 'int32',
}

/** Newest file format known: written by torch 2.x. @see https://github.com/pytorch/pytorch/blob/main/caffe2/serialize/versions.h */
const newestVersion = 10

/** Bytes of the file that hold a constant which has to be known, or rearranged, to lower the model. */
interface Copy {
  readonly start: number
  readonly tensor: PickledTensor
  readonly dtype: ElementType
}

/** Evaluation came upon contents that were not read yet: it starts again once they are. */
export class NeedBytes extends Error {
  readonly copies: readonly Content[]
  constructor(copies: readonly Content[]) {
    super('contents are needed')
    this.copies = copies
  }
}

/** An opened TorchScript archive: its code and objects in memory, its weights where they are. */
export class Archive {
  /** Version of the file format, which says what some operators mean. */
  readonly version: number
  private readonly zip: Zip
  private readonly top: string
  private readonly location: string
  private readonly pickles: ReadonlyMap<string, Buffer>
  private readonly code: ReadonlyMap<string, () => Buffer>
  private readonly places: ReadonlyMap<string, number>
  /** Contents read, by where they begin and how the tensor lies in them. */
  private readonly loaded = new Map<string, Uint8Array>()
  private readonly copies = new Map<Content, Copy>()
  private readonly placeholders = new Map<string, Content>()
  private readonly memories = new WeakMap<TensorRef, string>()
  private sourceBytes = 0

  private constructor(parts: {
    zip: Zip
    top: string
    location: string
    version: number
    pickles: ReadonlyMap<string, Buffer>
    code: ReadonlyMap<string, () => Buffer>
    places: ReadonlyMap<string, number>
  }) {
    this.zip = parts.zip
    this.top = parts.top
    this.location = parts.location
    this.version = parts.version
    this.pickles = parts.pickles
    this.code = parts.code
    this.places = parts.places
  }

  /**
   * Opens an archive, reading its end only.
   * @param location Name under which weights refer to the file.
   * @throws {ImportRefusal} When it is damaged, or something else than TorchScript; says what.
   */
  static async open(source: ModelSource, location: string): Promise<Archive> {
    await checkMagic(source)
    const zip = await Zip.open(source)
    const top = topOf(zip)
    const entry = (name: string): ZipEntry | undefined => zip.entries.get(`${top}/${name}`)
    const text = async (name: string): Promise<string | undefined> => {
      const found = entry(name)
      return found && (await zip.read(found, 1024)).toString('utf8').trim()
    }
    const byteOrder = await text('byteorder')
    if (byteOrder !== undefined && byteOrder !== 'little')
      throw refuse(`the weights are in ${byteOrder}-endian order`, '', 'Save the model on a little-endian machine')
    const version = Number((await text('.data/version')) ?? (await text('version')) ?? 3)
    if (!(version <= newestVersion))
      throw refuse(
        `the archive has format version ${version}, newer than ${newestVersion}`,
        '',
        'Save it with an older torch',
      )
    const names = ['data.pkl', 'constants.pkl', 'traced_inputs.pkl'].filter((name) => entry(name))
    const pickles = new Map<string, Buffer>()
    const files = [...zip.entries.values()].filter((e) => e.name.startsWith(`${top}/code/`) && e.name.endsWith('.py'))
    const wanted = [...names.map((name) => entry(name) as ZipEntry), ...files] // just seen to be there
    const contents = await zip.readAll(wanted, limits.pickleBytes)
    for (const [i, name] of names.entries()) pickles.set(name, (contents[i] as () => Buffer)()) // one per entry
    const code = new Map(
      files.map((file, i) => [file.name.slice(top.length + 6), contents[names.length + i] as () => Buffer]),
    )
    const places = new Map<string, number>()
    for (const e of zip.entries.values()) {
      if (/\/(?:data|constants)\/[^/]*$/.test(e.name) && e.size > 0) {
        if (e.method !== 0)
          throw refuse(
            `${e.name} is compressed`,
            '',
            'Save the model with torch.jit.save, which leaves weights as they are',
          )
        places.set(e.name, await zip.payload(e))
      }
    }
    return new Archive({ zip, top, location, version, pickles, code, places })
  }

  /** Text of `code/<path>`. @throws {ImportRefusal} When it is not there or all of them are too long. */
  source(path: string): string | undefined {
    const contents = this.code.get(path)?.()
    if (!contents) return undefined
    this.sourceBytes += contents.length
    if (contents.length > limits.sourceBytes || this.sourceBytes > limits.allSourceBytes)
      throw refuse(`the source takes over ${limits.sourceBytes} bytes`, path)
    return contents.toString('utf8')
  }

  /** The root object. A new one each time, since what runs changes it. */
  root(): PyObject {
    const root = this.pickle('data.pkl', 'data')
    if (!(root instanceof PyObject))
      throw refuse(
        'the archive holds no module',
        'data.pkl',
        'Export the model with torch.jit.trace or torch.jit.script',
      )
    return root
  }

  constants(): readonly Py[] {
    const constants = this.pickles.has('constants.pkl') ? this.pickle('constants.pkl', 'constants') : new PyTuple([])
    return constants instanceof PyTuple ? constants.items : []
  }

  /** Types of the inputs a traced module was exported with, by method; recent torch keeps them. */
  tracedInputs(method: string): readonly Py[] | undefined {
    if (!this.pickles.has('traced_inputs.pkl')) return undefined
    const all = this.pickle('traced_inputs.pkl', 'traced_inputs')
    const entry = all instanceof PyDict ? all.entries.get(`s${method}`)?.[1] : undefined
    return entry && 'items' in (entry as object) ? (entry as PyTuple).items : undefined // lists and tuples have items
  }

  private pickle(name: string, folder: string): Py {
    const bytes = this.pickles.get(name)
    if (!bytes) throw refuse(`the archive has no ${name}`)
    return readPickle(bytes, { tensor: (t) => this.tensor(t, folder) })
  }

  private tensor(t: PickledTensor, folder: string): TensorRef {
    const dtype = storageTypes[t.storage.type]
    if (!dtype) throw refuse(`a tensor of ${t.storage.type}`, `${folder}.pkl`)
    const value = this.value(t, dtype, folder)
    const ref = new TensorRef(t.quantizer ? this.quantized(value, t.quantizer) : value)
    this.memories.set(ref, `${folder}/${t.storage.key}`)
    return ref
  }

  /** Whether two tensors lie in the same memory: torch reads each place of a pickle as a tensor of its own. */
  shareMemory(a: TensorRef, b: TensorRef): boolean {
    const memory = this.memories.get(a)
    return memory !== undefined && memory === this.memories.get(b)
  }

  private value(t: PickledTensor, dtype: ElementType, folder: string): Value {
    const { shape } = t
    const count = shape.reduce((n, d) => n * d, 1)
    if (count === 0 || folder === 'traced_inputs') return { dtype, shape, content: { bytes: new Uint8Array(0) } }
    const start = this.storagePlace(t.storage, dtype, folder) + t.offset * bytesOf(dtype)
    const last = shape.reduce((at, d, i) => at + (d - 1) * (t.stride[i] ?? 0), t.offset)
    if (last >= t.storage.count)
      throw refuse(`a tensor reaches past the ${t.storage.count} elements of its storage`, `${folder}/${t.storage.key}`)
    const known = this.loaded.get(copyKey(start, t))
    if (known && count <= maxElements && dtype !== 'complex64' && dtype !== 'complex128') {
      const elements = fromBytes(dtype, known)
      if (elements) return { dtype, shape, elements }
    }
    const isContiguous = rowMajor(shape, t.stride)
    const length = count * bytesOf(dtype)
    const external = { location: this.location, offset: start, length }
    checkExternalRange(external, length, this.zip.source.size)
    const content = isContiguous ? { external } : this.placeholder(`${dtype}:${copyKey(start, t)}`)
    if (!isContiguous || count <= maxElements) this.copies.set(content, { start, tensor: t, dtype })
    return { dtype, shape, content }
  }

  /** Stands for contents that are yet to be rearranged: the same for the same tensor, however often its pickle is read. */
  private placeholder(key: string): Content {
    const content = this.placeholders.get(key) ?? { bytes: new Uint8Array(0) }
    this.placeholders.set(key, content)
    return content
  }

  private storagePlace(storage: Storage, dtype: ElementType, folder: string): number {
    const name = `${this.top}/${folder}/${storage.key}`
    const place = this.places.get(name)
    const size = this.zip.entries.get(name)?.size ?? 0
    if (place === undefined || size < storage.count * bytesOf(dtype))
      throw refuse(
        `${folder}/${storage.key} holds ${size} bytes, not ${storage.count} elements of ${dtype}`,
        '',
        'Copy the file again',
      )
    return place
  }

  private quantized(value: Value, quantizer: readonly Py[]): Value {
    const [scheme, a, b, axis] = quantizer
    if (scheme === 'torch.per_tensor_affine' && typeof a === 'number' && typeof b === 'bigint') {
      return {
        ...value,
        quant: { scale: scalar('float32', Math.fround(a)), zeroPoint: scalar(value.dtype, Number(b)) },
      }
    }
    if (a instanceof TensorRef && b instanceof TensorRef && typeof axis === 'bigint') {
      return { ...value, quant: { scale: a.state.value, zeroPoint: b.state.value, axis: Number(axis) } }
    }
    throw refuse(`a tensor quantised by ${scheme}`, 'data.pkl')
  }

  /** The numbers of a constant. @throws {NeedBytes} When they have yet to be read. */
  numbers(value: Value): readonly number[] | undefined {
    if (!value.content) return undefined
    if ('bytes' in value.content && value.content.bytes.length > 0) return fromBytes(value.dtype, value.content.bytes)
    if (value.shape.includes(0)) return []
    const copy = this.copies.get(value.content)
    if (!copy) return undefined
    const bytes = this.loaded.get(copyKey(copy.start, copy.tensor))
    if (bytes) return fromBytes(value.dtype, bytes)
    throw new NeedBytes([value.content])
  }

  /** Reads contents that evaluation asked for, and those of all other small tensors: one seldom comes alone. */
  async load(wanted: readonly Content[]): Promise<void> {
    const small = [...this.copies.entries()].filter(([content, { tensor, dtype }]) => {
      return (
        wanted.includes(content) ||
        (!this.loaded.has(copyKey(this.copies.get(content)?.start ?? 0, tensor)) &&
          dtype !== 'bool' &&
          countOf(tensor) <= maxElements)
      )
    })
    await this.readCopies(small.map(([, copy]) => copy))
  }

  /** Reads what traced code computes sizes with: single numbers and short integer vectors among the constants. */
  async loadConstants(): Promise<void> {
    this.constants()
    const wanted = [...this.copies.values()].filter(({ tensor, dtype }) => {
      return tensor.shape.length === 0 || (tensor.shape.length === 1 && dtype === 'int64' && countOf(tensor) <= 16)
    })
    await this.readCopies(wanted)
  }

  private async readCopies(copies: readonly Copy[]): Promise<void> {
    let total = 0
    const groups: { start: number; end: number; copies: Copy[] }[] = []
    for (const copy of [...copies].sort((a, b) => a.start - b.start)) {
      const end = copy.start + spanOf(copy)
      total += spanOf(copy)
      const last = groups.at(-1)
      if (last && copy.start - last.end < 65_536) {
        last.end = Math.max(last.end, end)
        last.copies.push(copy)
      } else groups.push({ start: copy.start, end, copies: [copy] })
    }
    if (total > limits.copiedBytes)
      throw refuse(
        `${total} bytes of weights would have to be rearranged`,
        '',
        'Make the weights contiguous before exporting',
      )
    for (const { start, end, copies: members } of groups) {
      const bytes = await this.zip.bytes(start, end)
      for (const copy of members) {
        this.loaded.set(copyKey(copy.start, copy.tensor), gatherStrided(bytes.subarray(copy.start - start), copy))
      }
    }
  }

  /** Contents of a weight that does not lie in row-major order, to be written into the model. */
  async rearranged(content: Content): Promise<Uint8Array | undefined> {
    const copy = this.copies.get(content)
    if (!copy) return undefined
    await this.readCopies([copy])
    return this.loaded.get(copyKey(copy.start, copy.tensor))
  }
}

const countOf = (t: PickledTensor): number => t.shape.reduce((n, d) => n * d, 1)
const copyKey = (start: number, t: PickledTensor): string => `${start}:${t.shape}:${t.stride}`
const spanOf = ({ tensor, dtype }: Copy): number =>
  (tensor.shape.reduce((at, d, i) => at + (d - 1) * (tensor.stride[i] ?? 0), 0) + 1) * bytesOf(dtype)

function rowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] ?? 1
    if (size !== 1 && stride[i] !== expected) return false
    expected *= size
  }
  return true
}

/** Elements in row-major order, whatever their strides. */
function gatherStrided(bytes: Uint8Array, { tensor, dtype }: Copy): Uint8Array {
  const size = bytesOf(dtype)
  const count = countOf(tensor)
  if (rowMajor(tensor.shape, tensor.stride)) return new Uint8Array(bytes.subarray(0, count * size))
  const result = new Uint8Array(count * size)
  const index = new Array<number>(tensor.shape.length).fill(0)
  let from = 0
  for (let to = 0; to < count; to++) {
    for (let b = 0; b < size; b++) result[to * size + b] = bytes[from * size + b] ?? 0
    for (let axis = index.length - 1; axis >= 0; axis--) {
      const stride = tensor.stride[axis] ?? 0
      index[axis] = (index[axis] ?? 0) + 1
      from += stride
      if ((index[axis] ?? 0) < (tensor.shape[axis] ?? 1)) break
      from -= stride * (index[axis] ?? 0)
      index[axis] = 0
    }
  }
  return result
}

const exportAdvice = 'Export the model with torch.jit.trace or torch.jit.script and torch.jit.save'

/** Tells files that are no ZIP archive apart by how they begin. */
async function checkMagic(source: ModelSource): Promise<void> {
  const head = await source.read(0, Math.min(source.size, 512))
  if (head[0] === 0x50 && head[1] === 0x4b) return
  const tar = String.fromCharCode(...head.subarray(257, 262)) === 'ustar'
  if (tar) throw refuse('the file is a tar archive, as torch.save wrote before 0.4', '', exportAdvice)
  if (head[0] === 0x80)
    throw refuse(
      'the file is a pickle, as torch.save wrote before 1.6: weights or a module without its code',
      '',
      exportAdvice,
    )
  throw refuse('the file is no TorchScript archive', '', exportAdvice)
}

/** The one folder at the top of the archive. Tells archives that are no TorchScript apart. */
function topOf(zip: Zip): string {
  const names = [...zip.entries.keys()]
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name))
  const data = names.find((name) => /^[^/]+\/data\.pkl$/.test(name))
  if (!data) {
    if (has(/(?:^|\/)archive_format$/) || has(/(?:^|\/)models\/[^/]+\.json$/))
      throw refuse('the file is a .pt2 of torch.export', '', exportAdvice)
    if (has(/(?:^|\/)model\.json$/)) throw refuse('the file is TorchScript of a torch before 1.0', '', exportAdvice)
    throw refuse('the ZIP archive holds no TorchScript', '', exportAdvice)
  }
  const top = data.slice(0, -'/data.pkl'.length)
  if (has(/\/code\/.*\.py$/) || zip.entries.has(`${top}/constants.pkl`)) {
    if (has(/\/code\/.*\.py$/)) return top
    if (zip.entries.has(`${top}/bytecode.pkl`))
      throw refuse('the archive is made for the lite interpreter and left out the code', '', exportAdvice)
  }
  throw refuse(
    'the file is what torch.save writes: weights (a state_dict) or a module without its code',
    '',
    exportAdvice,
  )
}
