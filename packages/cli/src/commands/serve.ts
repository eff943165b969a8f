import { EasError } from '@eas/base'
import { createHttpServer, endProcess } from '@eas/http-server'
import { createLogger, createProcessor, loadServices, settingsFromEnv } from '@eas/processor'
import { serviceKeys } from '@eas/service-json'
import { Command, InvalidArgumentError, Option } from 'commander'
import { readServiceFile } from '../services.ts'
import { showAfter } from '../show-after.ts'

interface ServeOptions {
  readonly host: string
  readonly port: number
  readonly processor?: string
  readonly name?: string
}

export const serveCommand = () =>
  new Command('serve')
    .description('Serve models over HTTP, as PAI-EAS does.')
    .argument('<files...>', 'service.json files, or models to serve with defaults: a file, a folder or a URL')
    .addOption(new Option('--host <host>', 'address to listen on').env('HOST').default('127.0.0.1'))
    .addOption(
      new Option('--port <port>', 'port to listen on, 0 for any free one')
        .env('PORT')
        .default(8080)
        .argParser(parsePort),
    )
    .option('--processor <code>', 'processor of a model that comes without a service.json (default: by its format)')
    .addOption(
      new Option('--name <name>', 'service name of a model (default: from its file name)').argParser(parseName),
    )
    .addHelpText(
      'after',
      `
Examples:
  eas serve service.json                    the service that a PAI-EAS configuration describes
  eas serve model.onnx --name digits        POST http://127.0.0.1:8080/api/predict/digits
  eas serve a.json b.json                   several services, each model in a process of its own
  eas serve resnet18.pt                     TorchScript, a SavedModel or a frozen graph just the same
  eas serve m.onnx --processor tensorflow_cpu_2.7
  eas serve s3://bucket/models/digits/      from object storage; credentials from the environment

The token comes from the environment, EAS_TOKEN, or from service.json. Logs are JSON lines on standard output.
/healthz, /readyz and /metrics tell how it is doing. SIGTERM and Ctrl-C end it once open requests are answered.`,
    )
    .action(serve)

/** What the system's codes mean to a person, and what to do. */
const listenTroubles: { readonly [code: string]: string } = {
  EADDRINUSE: 'another process listens there; --port takes another port, 0 any free one',
  EACCES: 'permission denied; ports from 1024 on need none',
  EADDRNOTAVAIL: 'this machine has no such address; --host 0.0.0.0 means all that it has',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name cannot be looked up now',
}

async function serve(files: readonly string[], options: ServeOptions): Promise<void> {
  const settings = settingsFromEnv(process.env)
  const log = createLogger(settings.logLevel, true)
  const defaults = { processor: options.processor, name: options.name }
  const { services, warnings } = await loadServices(
    await Promise.all(files.map((file) => readServiceFile(file, defaults))),
    settings,
  )
  for (const { file, message } of warnings) log.warn({ file }, message)

  const processor = createProcessor({ services, settings, log })
  const http = createHttpServer({ processor, bodyBytesMax: settings.bodyBytesMax })
  const listening = await http.listen(options.port, options.host).catch((cause: NodeJS.ErrnoException) => {
    const { code = '', message } = cause
    const reason = Object.hasOwn(listenTroubles, code) ? listenTroubles[code] : message
    throw new EasError('internal', `Cannot listen on ${options.host}:${options.port}: ${reason}`, { cause })
  })

  const progress = showAfter(1000, `Loading ${services.map(({ name }) => name).join(', ')}`)
  await http.load()
  progress.stop()
  const { services: states } = processor.readiness()
  const failed = states.filter(({ state }) => state === 'failed')
  if (failed.length === states.length) {
    throw new EasError('not_ready', failed.map(({ name, error }) => `${name}: ${error}`).join('; '))
  }

  // Before anybody is told that it is ready.
  let ending = false
  const end = async (signal: string) => {
    if (ending) process.exit(130)
    ending = true
    log.info({ signal }, 'draining')
    await endProcess(http, processor, log, Math.max(...services.map(({ graceMs }) => graceMs)))
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)

  const address = options.host.includes(':') ? `[${options.host}]` : options.host
  for (const { name, state, execution_provider, error } of states) {
    const url = `http://${address}:${listening}/api/predict/${name}`
    const outcomes: { readonly [S in typeof state]?: string } = {
      ready: `is ready on ${execution_provider}: ${url}`,
      idle: `is loaded by its first request: ${url}`,
      failed: `failed: ${error}`,
    }
    process.stderr.write(`${name} ${outcomes[state] ?? `is ${state}: ${url}`}\n`)
  }
}

function parseName(text: string): string {
  const { type } = serviceKeys.name
  if (type.parse(text)) return text
  throw new InvalidArgumentError(`It must be ${type.words}.`)
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a number from 0 to 65535.')
}
