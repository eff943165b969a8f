import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Processor } from '@eas/processor'
import { type TorchrecRequest, type TorchrecResponse, torchrecPredict } from '@eas/protocol'
import type { TestService } from './processor.ts'

const root = join(import.meta.dirname, '../..')
/** The example, whose script says how everything in it was made. */
export const example = join(root, 'packages/cli/examples/recommender')
/** What the same script made for tests. */
export const golden = join(root, 'test/golden/recommender')

/** What Python says to one request. */
export interface Expected {
  readonly name: string
  readonly item_ids: readonly string[]
  readonly outputs: Readonly<Record<string, readonly number[]>>
  /** The model's inputs, for requests of few items. */
  readonly inputs?: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>
}

export const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'))
export const requestOf = ({ name }: Expected): Uint8Array =>
  readFileSync(join(example, `requests/${name.replaceAll(' ', '-')}.pb`))

/** The example's recommender, by default with its catalogue; `null` for none. */
export const recommender = (
  model: string = join(example, 'model'),
  model_config: Readonly<Record<string, unknown>> = {},
  items: string | null = join(example, 'items'),
  json: Readonly<Record<string, unknown>> = {},
): TestService => ({
  name: 'recommender',
  model,
  json: {
    processor: 'easyrec-torch-1.12',
    model_config: { fg_mode: 'normal', item_empty_score: -1, ...model_config },
    processor_envs: items === null ? [] : [{ name: 'EAS_ITEM_FEATURES', value: items }],
    ...json,
  },
})

export interface Answered {
  readonly status: number
  /** Of a failure. */
  readonly text: string
  /** Of a success. */
  readonly answer: TorchrecResponse
}

export async function ask(processor: Processor, body: Uint8Array, service = 'recommender'): Promise<Answered> {
  const response = await processor.handle({ method: 'POST', target: `/api/predict/${service}`, headers: {}, body })
  const isAnswer = response.status === 200
  return {
    status: response.status,
    text: isAnswer ? '' : Buffer.from(response.body).toString(),
    answer: torchrecPredict.decodeResponse(isAnswer ? response.body : new Uint8Array()),
  }
}

/** A request that has been changed. */
export const changed = (
  body: Uint8Array,
  change: (request: TorchrecRequest) => Partial<TorchrecRequest>,
): Uint8Array => {
  const request = torchrecPredict.decodeRequest(body)
  return torchrecPredict.encodeRequest({ ...request, ...change(request) })
}
