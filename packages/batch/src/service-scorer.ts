import { type DType, EasError, type EasErrorCode, easStatus, oneLine, type Tensor } from '@eas/base'
import { type EasRequest, type EasResponse, tfDataTypes, tfPredict, torchPredict } from '@eas/protocol'
import { BatchError } from './batch-error.ts'
import type { BatchScorer, CallOptions, ModelFacts, ModelValue } from './scorer.ts'

/** A service that answers EAS requests: in this process, `handle` is a processor's own. */
export interface Service {
  readonly name: string
  /** Empty for none. */
  readonly token: string
  /** The message of its processor. */
  readonly message: keyof typeof messages
  handle(request: EasRequest): Promise<EasResponse>
  /** Names the model's bytes, once it is loaded. */
  version(): string
  /** Calls that are worth having under way at once: its workers. */
  readonly concurrency: number
}

/** How rows travel in the message of each processor family. */
const messages = {
  torch: {
    encode: (feeds: ReadonlyMap<string, Tensor>) =>
      torchPredict.encodeRequest({ inputs: [], output_filter: [], map_inputs: feeds, debug_level: 0 }),
    decode: (body: Uint8Array) => torchPredict.decodeResponse(body).map_outputs,
  },
  tf: {
    encode: (feeds: ReadonlyMap<string, Tensor>, outputs: readonly string[]) =>
      tfPredict.encodeRequest({ signature_name: '', inputs: feeds, output_filter: outputs }),
    decode: (body: Uint8Array) => tfPredict.decodeResponse(body).outputs,
  },
  /** Of a processor whose requests hold no tensors: only recorded ones can be scored. */
  recorded: {
    encode: (): Uint8Array => {
      throw new BatchError('unsupported', 'Cannot score rows: the service takes recorded requests only (.pb, .pbs)')
    },
    decode: (): ReadonlyMap<string, Tensor> => new Map(),
  },
} as const

/**
 * Scores through a service, as its clients do: the same decoding, checks and pipeline, and so the same results. What it
 * answers other than 200 is thrown as the `EasError` of that status.
 */
export function serviceScorer(service: Service): BatchScorer {
  const target = `/api/predict/${service.name}`
  const headers = {
    'content-type': 'application/octet-stream',
    ...(service.token !== '' && { authorization: service.token }),
  }
  const { encode, decode } = messages[service.message]

  async function ask(method: 'GET' | 'POST', body: Uint8Array, { signal }: CallOptions): Promise<Uint8Array> {
    signal.throwIfAborted()
    const response = await service.handle({ method, target, headers, body })
    if (response.status === 200) return response.body
    throw new EasError(codeOf(response.status), oneLine(Buffer.from(response.body).toString('utf8'), 300))
  }

  return {
    concurrency: service.concurrency,
    async facts(options) {
      const signature = await ask('GET', new Uint8Array(), options)
      return { ...parseSignature(Buffer.from(signature).toString('utf8')), version: service.version() }
    },
    async run(feeds, outputs, options) {
      const all = decode(await ask('POST', encode(feeds, outputs), options))
      const asked = new Map<string, Tensor>()
      for (const name of outputs) {
        const tensor = all.get(name)
        if (!tensor) throw new EasError('not_implemented', `The service has not answered with output ${oneLine(name)}`)
        asked.set(name, tensor)
      }
      return asked
    },
    predict: (body, options) => ask('POST', body, options),
  }
}

const codes: ReadonlyMap<number, EasErrorCode> = new Map(
  Object.entries(easStatus).map(([code, status]) => [status, code as EasErrorCode]),
) // its keys
const codeOf = (status: number): EasErrorCode => codes.get(status) ?? 'internal'

/** Types that a message has no number for travel as these. */
const carriers: { readonly [name: string]: DType } = { DT_UINT32: 'int64', DT_UINT64: 'int64' }

/** What GET on a service answers. @see Alibaba Cloud help, "TensorFlow processor", "Query the model structure" */
function parseSignature(text: string): Pick<ModelFacts, 'inputs' | 'outputs'> {
  const json = JSON.parse(text) as { inputs: unknown[]; outputs: unknown[] } // the service's own answer, of status 200
  return { inputs: json.inputs.map(modelValue), outputs: json.outputs.map(modelValue) }
}

function modelValue(json: unknown): ModelValue {
  const { name, type, shape } = json as { name: string; type: string; shape: number[] } // as above
  return { name, dtype: tfDataTypes.byName(type)?.dtype ?? carriers[type], shape }
}
