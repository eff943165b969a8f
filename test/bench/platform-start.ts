import { awsEvents, awsResponse, awsStreamed } from '../support/platforms/aws-events.ts'
import type { ClientRequest } from '../support/platforms/client.ts'
import { fcContext, fcHttpEvent, fcResponse } from '../support/platforms/fc-events.ts'
import { startHandler } from '../support/platforms/processes.ts'
import { cloudRun, fcContainer, throughHttpTrigger } from '../support/platforms.ts'
import { token } from './servers.ts'

export interface PlatformStart {
  readonly serviceJson: string
  readonly service: string
  /** The body of a prediction. */
  readonly request: Uint8Array
}

/**
 * Starts a bundle as its platform does, with the platform's own steps before a first request, and asks it once.
 * @returns Milliseconds from the start of the process to the first answer, by platform. To stop it is not counted.
 */
export function platformStarts({ serviceJson, service, request }: PlatformStart) {
  const env = { SERVICE_JSON: serviceJson, EAS_TOKEN: token, EAS_LOG_LEVEL: 'info' } // `listening` is logged at info
  const asked: ClientRequest = {
    method: 'POST',
    target: `/api/predict/${service}`,
    headers: [
      ['Host', 'bench'],
      ['Authorization', token],
      ['Content-Type', 'application/octet-stream'],
    ],
    body: request,
  }
  async function timed(start: () => Promise<{ readonly ask: () => Promise<number>; end(): Promise<unknown> }>) {
    const from = performance.now()
    const { ask, end } = await start()
    const status = await ask()
    const ms = performance.now() - from
    await end()
    if (status !== 200) throw new Error(`The first answer is ${status}`)
    return ms
  }
  return {
    'AWS Lambda': () =>
      timed(async () => {
        const lambda = await startHandler('lambda', 'aws-lambda/index.js', env)
        const event = awsEvents['function URL'](asked)
        return { ask: async () => awsResponse(await lambda.call('handler', event)).status, end: () => lambda.end() }
      }),
    'AWS Lambda, streamed': () =>
      timed(async () => {
        const lambda = await startHandler('lambda', 'aws-lambda/index.js', env)
        const event = awsEvents['function URL'](asked)
        return {
          ask: async () => awsStreamed(await lambda.call('streamHandler', event)).status,
          end: () => lambda.end(),
        }
      }),
    'Function Compute': () =>
      timed(async () => {
        const fc = await startHandler('fc', 'aliyun-fc/index.js', env)
        await fc.call('initialize', null, { ...fcContext(), isHook: true })
        const event = fcHttpEvent(asked)
        return { ask: async () => fcResponse(await fc.call('handler', event, fcContext())).status, end: () => fc.end() }
      }),
    'a container of Function Compute': () =>
      timed(async () => {
        const container = await fcContainer(env)
        return { ask: async () => (await container.send(throughHttpTrigger(asked))).status, end: () => container.end() }
      }),
    'Cloud Run': () =>
      timed(async () => {
        const container = await cloudRun(env)
        return { ask: async () => (await container.send(asked)).status, end: () => container.end() }
      }),
  }
}
