import { writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { performance } from 'node:perf_hooks'

/** Imports one archive in a process of its own and prints what that took as one JSON line. */
const [path = '', specs = '[]', output = ''] = process.argv.slice(2)
const start = performance.now()
const [{ importTorchScript }, { joinChunks }] = await Promise.all([
  import('@eas/import-torchscript'),
  import('@eas/onnx'),
])
const file = await open(path)
const { size } = await file.stat()
let fetchedBytes = 0
const source = {
  size,
  async read(from: number, to: number) {
    const bytes = new Uint8Array(Math.max(0, Math.min(to, size) - from))
    await file.read(bytes, 0, bytes.length, from)
    fetchedBytes += bytes.length
    return bytes
  },
}
const { model } = await importTorchScript(source, { location: basename(path), inputs: JSON.parse(specs) })
const graph = joinChunks(model)
writeFileSync(output, graph)
const importMs = performance.now() - start
const graphBytes = graph.length
const peakBytes = process.resourceUsage().maxRSS * 1024
process.stdout.write(`${JSON.stringify({ importMs, peakBytes, graphBytes, fetchedBytes, fileBytes: size })}\n`)
