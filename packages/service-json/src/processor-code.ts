import { oneLine } from '@eas/base'
import { nearest } from './nearest.ts'

/** What a family's code looks like, and whether the family is served here. */
interface FamilyRow {
  readonly family: string
  /** Groups `device` and `version` where the code has them. */
  readonly pattern: RegExp
  /** Published versions, by device where they differ. Others run, with a warning. */
  readonly versions?: { readonly cpu: readonly string[]; readonly gpu: readonly string[] }
  /** Why the family is not served; absent when it is. */
  readonly reason?: string
}

const both = (...versions: string[]) => ({ cpu: versions, gpu: versions })
const upTo = (major: number, last: number, first = 0) =>
  Array.from({ length: last - first + 1 }, (_, i) => `${major}.${first + i}`)

const solution = 'packaged AI solutions carry their own Python code'

/**
 * Processor codes, first match wins.
 * @see Alibaba Cloud help, "Built-in processors" and the pages of each processor
 */
const families = [
  {
    family: 'tensorflow',
    pattern: /^tensorflow_(?<device>cpu|gpu)(?:_(?<version>\d+\.\d+))?$/,
    versions: { cpu: ['1.12', '1.14', '1.15', '2.3', '2.4', '2.7'], gpu: ['1.12', '1.14', '1.15', '2.4', '2.7'] },
  },
  {
    family: 'pytorch',
    pattern: /^pytorch_(?<device>cpu|gpu)(?:_(?<version>\d+\.\d+))?$/,
    versions: both('1.6', '1.7', '1.9', '1.10'),
  },
  {
    family: 'easyrec-torch',
    pattern: /^easyrec-torch-(?<version>\d+\.\d+)$/,
    versions: both(...upTo(0, 9, 1), ...upTo(1, 12), ...upTo(2, 2), '2.4'),
  },
  {
    family: 'easyrec',
    pattern: /^easyrec(?:-(?<version>\d+\.\d+))?$/,
    versions: both(...upTo(1, 9, 2), ...upTo(2, 9), '3.0'),
  },
  { family: 'pmml', pattern: /^pmml$/, reason: 'PMML models are not run' },
  { family: 'caffe', pattern: /^caffe_(?<device>cpu|gpu)$/, reason: 'Caffe models are not run' },
  { family: 'xgboost', pattern: /^xgboost$/, reason: 'XGBoost models are not run' },
  {
    family: 'onnx',
    pattern: /^onnx_cu(?<version>\d+)$/,
    reason: 'its request format is not published',
  },
  { family: 'xnn', pattern: /^xnn_(?<device>cpu)$/, reason: 'xNN models are not run' },
  { family: 'triton', pattern: /^triton$/, reason: 'Triton is a server of its own' },
  { family: 'mediaflow', pattern: /^mediaflow$/, reason: 'media pipelines are not run' },
  {
    family: 'blade',
    pattern: /^blade_(?:(?<device>cpu)|cuda(?<version>\d+\.\d+)_beta)$/,
    reason: 'models that Blade has compiled need its own runtime; deploy the original model',
  },
  {
    family: 'easy_vision',
    pattern: /^easy_vision_(?<device>cpu|gpu)_tf1\.12_torch151$/,
    reason: solution,
  },
  { family: 'easytransfer', pattern: /^easytransfer_(?<device>cpu|gpu)$/, reason: solution },
  { family: 'easynlp', pattern: /^easynlp$/, reason: solution },
  { family: 'easynlp', pattern: /^easy_nlp_(?<device>cpu|gpu)_tf1\.12$/, reason: solution },
  { family: 'easynlp', pattern: /^easy_nlp_with_transformer_(?<device>gpu)$/, reason: solution },
  { family: 'easycv', pattern: /^easycv$/, reason: solution },
  { family: 'easy_asr', pattern: /^easy_asr_(?<device>gpu)_tf1\.12$/, reason: solution },
  { family: 'alink', pattern: /^alink_pai_processor$/, reason: 'Alink pipelines are not run' },
  // "sever" is how the published list spells it.
  { family: 'parameter_server', pattern: /^parameter_se(?:r)?ver$/, reason: 'parameter servers are not run' },
] as const satisfies readonly FamilyRow[]

export type ProcessorFamily = (typeof families)[number]['family'] | 'unknown'

/** What a processor code says. */
export interface ProcessorCode {
  readonly code: string
  readonly family: ProcessorFamily
  /** `undefined` when the code does not say: the EasyRec processors run on both. */
  readonly device: 'cpu' | 'gpu' | undefined
  readonly version: string | undefined
  /** Whether a service with this code can be served here. */
  readonly supported: boolean
  /** Why it is not supported, or why a supported one deserves a look. */
  readonly reason?: string
}

/** The same rows, each as any family's. */
const familyRows: readonly (FamilyRow & { readonly family: ProcessorFamily })[] = families

/** Codes that a misspelled one is compared with: the supported ones. */
const publishedCodes: readonly string[] = familyRows.flatMap(({ family, versions }) => {
  if (!versions) return []
  if (family.startsWith('easyrec')) return versions.cpu.map((version) => `${family}-${version}`)
  return (['cpu', 'gpu'] as const).flatMap((device) =>
    versions[device].map((version) => `${family}_${device}_${version}`),
  )
})

/** Reads a built-in processor's code, as `tensorflow_gpu_1.15` or `easyrec-torch-1.12`. Never throws. */
export function parseProcessorCode(code: string): ProcessorCode {
  const shown = oneLine(code, 80)
  for (const row of familyRows) {
    const match = row.pattern.exec(code)
    if (!match) continue
    const { device: deviceName, version } = match.groups ?? {}
    const device: ProcessorCode['device'] = deviceName === 'cpu' || deviceName === 'gpu' ? deviceName : undefined
    const said = { code, family: row.family, device, version }
    if (row.reason) return { ...said, supported: false, reason: `processor ${shown}: ${row.reason}` }
    const known = version === undefined || row.versions?.[device ?? 'cpu'].includes(version)
    return known
      ? { ...said, supported: true }
      : {
          ...said,
          supported: true,
          reason: `processor ${shown}: no such version is published; it is served like its family`,
        }
  }
  const near = nearest(code, publishedCodes)
  const hint = near ? `; did you mean ${near}?` : ''
  const reason = `processor ${shown}: EAS publishes no such code${hint}`
  return { code, family: 'unknown', device: undefined, version: undefined, supported: false, reason }
}
