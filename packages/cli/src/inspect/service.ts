import { dirname, resolve } from 'node:path'
import { EasError, oneLine } from '@eas/base'
import { machineOf, reasonsAgainst, type ServiceSpec, serviceSpec, settingsFromEnv } from '@eas/processor'
import {
  ConfigError,
  type ConfigWarning,
  easyRecKeys,
  type Fate,
  formatBadOption,
  type KeyTable,
  parseServiceJson,
  type ServiceConfig,
  serviceKeys,
  torchEasyRecKeys,
} from '@eas/service-json'
import { labelled, styled } from '../print.ts'
import type { Inspection } from './inspection.ts'

/** A `service.json`: what it says, what becomes of each key, and whether it can be served here. */
export async function inspectService(file: string, text: string): Promise<Inspection> {
  let parsed: ReturnType<typeof parseServiceJson>
  try {
    parsed = parseServiceJson(text, { path: file })
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    return unusable(file, thrown)
  }
  const { config, warnings } = parsed
  const { modelPath, spec, reasons } = await servability(config, file)
  const keys = actingKeys(config)
  const { processor, metadata } = config

  const verdict =
    reasons.length === 0
      ? styled(
          'green',
          modelPath === undefined ? 'It can be served here, if the model can be read.' : 'It can be served here.',
        )
      : `${styled('red', 'It cannot be served here:')}\n${reasons.map((reason) => `  ${reason}`).join('\n')}`
  const message = spec && (spec.model.pipeline.kind === 'tf' ? 'tf' : 'torch')
  const facts = labelled([
    ['name', config.name],
    ['processor', processor?.code],
    ['model', modelPath ?? config.model_path],
    ['message', message && `${message} (eas predict --message ${message})`],
    ['token', tokenText(config)],
    ['group', metadata.group],
  ])
  const sections = [
    keyLines(keys, 'use', 'used'),
    keyLines(keys, 'map', 'settings of the platform, for a deployment'),
    ...warningLines(warnings),
  ]
  return {
    text: [`${styled('bold', file)}: service`, facts, ...sections.filter((section) => section !== ''), verdict].join(
      '\n',
    ),
    json: {
      file,
      kind: 'service.json',
      name: config.name,
      processor,
      modelPath,
      message,
      hasToken: config.token !== undefined,
      servable: reasons.length === 0,
      reasons,
      keys,
      warnings,
    },
  }
}

const warningLines = (warnings: readonly ConfigWarning[]): readonly string[] =>
  warnings.length === 0
    ? []
    : [
        styled('bold', 'warnings'),
        ...warnings.map(({ message, at }) => styled('yellow', `  ${at ? `line ${at.line}: ` : ''}${message}`)),
      ]

function unusable(file: string, { options, warnings }: ConfigError): Inspection {
  const lines = options.map((option) => styled('red', `  ${formatBadOption(option)}`))
  return {
    text: [`${styled('bold', file)}: cannot be read as a service.json`, ...lines, ...warningLines(warnings)].join('\n'),
    json: { file, kind: 'service.json', servable: false, errors: options, warnings },
    isUnusable: true,
  }
}

interface Servability {
  readonly modelPath?: string
  readonly spec?: ServiceSpec
  readonly reasons: readonly string[]
}

/** What `eas serve` would say, all at once. */
async function servability(config: ServiceConfig, file: string): Promise<Servability> {
  const reasons = reasonsAgainst(config)
  if (reasons.length > 0) return { reasons }
  const machine = machineOf(settingsFromEnv(process.env))
  let spec: ServiceSpec | undefined
  try {
    spec = serviceSpec(config, { ...machine, baseDir: dirname(resolve(file)), serviceCount: 1 })
    return spec.origin.isLocal ? { modelPath: (await spec.origin.open()).path, spec, reasons } : { spec, reasons }
  } catch (thrown) {
    if (!(thrown instanceof EasError)) throw thrown
    return { ...(spec && { spec }), reasons: [thrown.message] }
  }
}

function tokenText({ token, generate_token }: ServiceConfig): string {
  if (generate_token === false) return 'none: generate_token is false'
  return token === undefined ? 'none: without EAS_TOKEN anybody may call it' : 'set'
}

interface ActingKey {
  readonly path: string
  readonly fate: Fate
  readonly value: unknown
  readonly meaning: string
}

/** Keys that the head already shows. */
const inHead: ReadonlySet<string> = new Set(['name', 'processor', 'model_path', 'token', 'metadata.group'])

/** The values that act and are not the default, with what becomes of each. */
function actingKeys(config: ServiceConfig): readonly ActingKey[] {
  const { torchEasyRec, easyRec } = config
  const family = torchEasyRec ? torchEasyRecKeys : easyRec ? easyRecKeys : {}
  const inFamily = leaves('', torchEasyRec ?? easyRec ?? {}, family)
  return [
    ...leaves('', asWritten(config), serviceKeys),
    ...inFamily.map((key) => ({ ...key, path: `model_config.${key.path}` })),
  ]
}

/** The configuration with every value where its key stands in the file. */
const asWritten = (config: ServiceConfig) => ({
  ...config,
  processor: undefined,
  // Objects and texts of other families have no rows; what is in them is not shown, as it may be a secret.
  model_config: undefined,
  processor_envs: Object.entries(config.processor_envs).map(([name, value]) => ({ name, value })),
  storage: config.storage.map(({ kind, mount_path, resource_type, ...rest }) => ({
    mount_path,
    properties: { resource_type },
    [kind]: 'image' in rest ? rest.image : rest,
  })),
  plugins: config.plugins.map(({ model_info, ...plugin }) => ({ ...plugin, config: { model_info } })),
})

function leaves(path: string, value: unknown, table: KeyTable): ActingKey[] {
  const row = rowOf(path, table)
  if (row) {
    const isDefault = isUnset(value) || JSON.stringify(value) === JSON.stringify(row.default)
    if (isDefault || inHead.has(path) || (row.fate !== 'use' && row.fate !== 'map')) return []
    return [{ path, fate: row.fate, value: row.secret ? '(secret)' : value, meaning: row.meaning }]
  }
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item, i) => leaves(`${path}[${i}]`, item, table))
  return Object.entries(value).flatMap(([key, item]) => leaves(path === '' ? key : `${path}.${key}`, item, table))
}

const isUnset = (value: unknown) => value === undefined || value === '' || (Array.isArray(value) && value.length === 0)

/** `a[3].b` stands in the table as `a[].b`, any key of `labels` as `labels.*`. */
function rowOf(path: string, table: KeyTable) {
  const key = path.replace(/\[\d+\]/g, '[]')
  if (Object.hasOwn(table, key)) return table[key]
  const any = Object.keys(table).find((known) => known.endsWith('.*') && key.startsWith(known.slice(0, -1)))
  return any === undefined ? undefined : table[any]
}

function keyLines(keys: readonly ActingKey[], fate: Fate, title: string): string {
  const rows = keys
    .filter((key) => key.fate === fate)
    .map(({ path, value }) => [`  ${path}`, oneLine(JSON.stringify(value) ?? '', 80)] as const)
  return rows.length > 0 ? `${styled('bold', title)}\n${labelled(rows)}` : ''
}
