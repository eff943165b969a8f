// Lets Google's Pub/Sub emulator push to the events service: what fails is delivered again, and what is done is not.
// On demand, where gcloud has the emulator (`gcloud components install pubsub-emulator`) and there is Java:
// `npx tsx test/support/platforms/pubsub.ts`.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { bundle } from '../../../infra/bundle.ts'
import { graphs } from '../models.ts'
import { onnxModel, scratch } from '../onnx.ts'
import { patient, serviceJson } from '../processor.ts'
import { startGcsServer } from '../storage/gcs-server.ts'
import { startContainer } from './processes.ts'

const key = 'in/a b+c%20d é 数据.ndjson'
const deadlineMs = 120_000

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + deadlineMs
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  process.stdout.write(`ok   ${what}\n`)
}

await bundle()
const files = scratch('pubsub')
const store = await startGcsServer()
const port = await freePort()
const emulator = spawn('gcloud', ['beta', 'emulators', 'pubsub', 'start', `--host-port=127.0.0.1:${port}`], {
  stdio: 'ignore',
  detached: true, // gcloud starts Java, which must end with it
})
const container = await startContainer('gcp-cloud-run/events.js', {
  SERVICE_JSON: files.write(
    'add.json',
    serviceJson({ name: 'add', model: files.write('add.onnx', onnxModel(graphs.add)), rpc: patient }),
  ),
  PORT: '0',
  EAS_GCS_ENDPOINT: store.endpoint,
  EAS_GCS_ANONYMOUS: 'on',
  EAS_BATCH_OUTPUT: 'gs://out/scores/',
})
const api = (method: string, path: string, body: object) =>
  fetch(`http://127.0.0.1:${port}/v1/projects/test/${path}`, {
    method,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
/** Looks of the service for the object, of which each delivery makes one at least. */
const looks = () => store.requests.filter((line) => line.includes('/b/in/') && !line.startsWith('POST')).length
const results = async () => JSON.stringify(await (await fetch(`${store.endpoint}/storage/v1/b/out/o`)).json())

let failed = false
try {
  await until('the emulator answers', async () => (await api('PUT', 'topics/objects', {})).ok)
  await api('PUT', 'subscriptions/scorer', {
    topic: 'projects/test/topics/objects',
    pushConfig: { pushEndpoint: `http://127.0.0.1:${container.port}/` },
    ackDeadlineSeconds: 60,
  })
  const attributes = { eventType: 'OBJECT_FINALIZE', bucketId: 'in', objectId: key, objectGeneration: '1' }
  await api('POST', 'topics/objects:publish', { messages: [{ attributes }] })
  await until('an object that is not there yet is asked for again', async () => looks() >= 2)
  await fetch(`${store.endpoint}/upload/storage/v1/b/in/o?uploadType=media&name=${encodeURIComponent(key)}`, {
    method: 'POST',
    body: '{"a":[1,2],"b":[10,20]}\n',
  })
  await until('once it is there it is scored', async () =>
    (await results()).includes(`scores/${key}/manifest-000001.json`),
  )
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const before = looks()
  await new Promise((resolve) => setTimeout(resolve, 10_000))
  failed = looks() !== before
  process.stdout.write(`${failed ? 'FAIL' : 'ok  '} what is done is not delivered again\n`)
} catch (error) {
  failed = true
  process.stdout.write(`FAIL ${error instanceof Error ? error.message : error}\n`)
} finally {
  await container.end()
  await store.close()
  files.remove()
  if (emulator.pid !== undefined) process.kill(-emulator.pid, 'SIGTERM')
}
process.exit(failed ? 1 : 0)
