import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** What of ONNX Runtime is beside the bundle on one machine: its library. Its JavaScript is in the bundle, as far as it is used. */
const parts = (arch: string) => [
  { folder: 'onnxruntime-node', files: /^package\.json$/ },
  { folder: `onnxruntime-node/bin/napi-v6/linux/${arch}`, files: /^/ },
]

/** Files of the packages that a deployed folder needs, relative to `node_modules`. */
export async function runtimeFiles(nodeModules: string, arch: 'x64' | 'arm64'): Promise<readonly string[]> {
  const found = await Promise.all(
    parts(arch).map(async ({ folder, files }) =>
      (await readdir(join(nodeModules, folder))).filter((name) => files.test(name)).map((name) => `${folder}/${name}`),
    ),
  )
  return found.flat()
}
