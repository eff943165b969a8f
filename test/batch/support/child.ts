import { join } from 'node:path'
import { build } from 'esbuild'

/** Bundles `kill-child.ts` into a script that starts fast. */
export async function buildChild(script: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'kill-child.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['@aws-sdk/*'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
    logLevel: 'error',
  })
}
