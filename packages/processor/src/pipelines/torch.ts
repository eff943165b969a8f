import { EasError, type Tensor } from '@eas/base'
import { type TorchPredictRequest, torchPredict } from '@eas/protocol'
import type { Note } from '../engine/messages.ts'
import type { ModelInfo } from '../session.ts'
import { type CarrierTable, castCarriers, torchCarriers, widen } from './carriers.ts'
import { namedFeeds, refusedIndex, toFeed } from './feeds.ts'
import type { Pipeline, Work } from './pipeline.ts'

/**
 * The PyTorch processor, and TorchEasyRec's with `fg_mode` `bypass`, which speaks the same message. Positional `inputs` are
 * answered with positional `outputs`, named `map_inputs` with `map_outputs`. `output_filter` picks outputs by index, and
 * they come back in its order.
 *
 * @param carriers What a client may send a tensor as, by the dtype that the model takes.
 * @param outputs Names of the outputs to return (`model_config.outputs`); all when empty.
 * @see proto/pytorch_predict.proto
 */
export const torchPipeline = (outputs: readonly string[], carriers: CarrierTable): Pipeline => ({
  isMessage: torchPredict.isRequest,
  tensorsOf: torchTensors,
  decode(body, model) {
    const request = torchPredict.decodeRequest(body)
    const named = request.map_inputs.size > 0
    const feeds = named ? mapFeeds(model, request, carriers) : positionalFeeds(model, request, carriers)
    const fetches = fetchesOf(model, outputs, request.output_filter)
    return {
      feeds,
      fetches,
      refusal: (thrown) => refusedIndex(thrown, feeds),
      encode(results) {
        const tensors = fetches.map((name) => [name, widen(results.get(name) as Tensor, torchCarriers)] as const) // fetched
        return torchPredict.encodeResponse({
          outputs: named ? [] : tensors.map(([, tensor]) => tensor),
          map_outputs: named ? new Map(tensors) : none,
        })
      },
      ...(request.debug_level === stagesLevel && { notes: stagesNote }),
    }
  },
})

const none: ReadonlyMap<string, Tensor> = new Map()

/** The `debug_level` whose requests have their stages logged. */
const stagesLevel = 903

const stagesNote = ({ stages }: Work): readonly Note[] => [
  { kind: 'log', message: 'stages of a request', facts: { debug_level: stagesLevel, stages } },
]

/** The tensors of a request, by name or position. */
export function torchTensors(body: Uint8Array): ReadonlyMap<string | number, Tensor> {
  const { inputs, map_inputs } = torchPredict.decodeRequest(body)
  return new Map<string | number, Tensor>([
    ...inputs.flatMap((tensor, i) => (tensor ? [[i, tensor] as const] : [])),
    ...map_inputs,
  ])
}

function mapFeeds(model: ModelInfo, request: TorchPredictRequest, carriers: CarrierTable) {
  if (request.inputs.length > 0) {
    throw new EasError('invalid_request', 'Cannot use both inputs and map_inputs: the request must have one of them')
  }
  // Of a dictionary, a TorchEasyRec model takes what it wants; an export to ONNX has lost the inputs that it does not use.
  const given = carriers === castCarriers ? ofModel(model, request.map_inputs) : request.map_inputs
  return namedFeeds(model, given, carriers)
}

const ofModel = ({ inputs }: ModelInfo, given: ReadonlyMap<string, Tensor>) =>
  new Map([...given].filter(([name]) => inputs.some((input) => input.name === name)))

function positionalFeeds(model: ModelInfo, { inputs }: TorchPredictRequest, carriers: CarrierTable) {
  if (inputs.length > model.inputs.length) {
    throw new EasError('invalid_request', `Too many inputs: the model has ${model.inputs.length}, got ${inputs.length}`)
  }
  const feeds = new Map<string, Tensor>()
  for (const [i, input] of model.inputs.entries()) {
    const tensor = inputs[i]
    if (!tensor) throw new EasError('invalid_request', `Missing inputs[${i}] (${input.name}): it has no values`)
    feeds.set(input.name, toFeed(input, `inputs[${i}] (${input.name})`, tensor, carriers))
  }
  return feeds
}

function fetchesOf(
  model: ModelInfo,
  configured: readonly string[],
  output_filter: readonly number[],
): readonly string[] {
  const names = configured.length > 0 ? configured : model.outputs.map((output) => output.name)
  if (output_filter.length === 0) return names
  const fetches = new Set<string>()
  for (const index of output_filter) {
    const name = names[index]
    if (name === undefined) {
      throw new EasError('invalid_request', `Unknown output ${index} in output_filter: the model has ${names.length}`)
    }
    // A short filter could otherwise ask for an answer of any length.
    if (fetches.has(name)) throw new EasError('invalid_request', `Output ${index} stands twice in output_filter`)
    fetches.add(name)
  }
  return [...fetches]
}
