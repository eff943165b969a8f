import { rm } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** Each thing that runs: the folder of plain JavaScript it becomes, and its entry there. */
const bundles = [
  { outdir: 'dist/cli', main: 'main', entry: 'packages/cli/src/main.ts' },
  { outdir: 'dist/functions/gcp-cloud-run', main: 'index', entry: 'functions/gcp-cloud-run/src/index.ts' },
  { outdir: 'dist/functions/aws-lambda', main: 'index', entry: 'functions/aws-lambda/src/index.ts' },
]

/**
 * Writes `dist/`: per bundle its entry, and beside it `model-worker.js`, which the engine starts for each model.
 * onnxruntime-node stays outside, as native code must.
 */
export async function bundle(): Promise<void> {
  for (const { outdir, main, entry } of bundles) {
    await rm(new URL(`../${outdir}`, import.meta.url), { recursive: true, force: true })
    await build({
      absWorkingDir: new URL('..', import.meta.url).pathname,
      entryPoints: { [main]: entry, 'model-worker': 'packages/processor/src/engine/worker-main.ts' },
      outdir,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      external: ['onnxruntime-node', 'onnxruntime-node/*'],
      // jsonc-parser's CommonJS form asks for its parts by names that only exist beside it.
      mainFields: ['module', 'main'],
      sourcemap: 'linked',
      legalComments: 'linked',
      logLevel: 'warning',
      banner: {
        // CommonJS dependencies ask for Node's own modules by `require`, which an ES module does not have.
        js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
      },
    })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await bundle()
