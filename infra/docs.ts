import { readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { renderBatchVariables } from '@eas/batch'
import { renderSourceSettings, renderSources } from '@eas/feature-store'
import { renderOperators } from '@eas/fg'
import { renderOps as renderTensorFlowOps } from '@eas/import-savedmodel'
import { renderOps as renderTorchOps } from '@eas/import-torchscript'
import { settingsTable } from '@eas/processor'
import { renderIndexFormats } from '@eas/recall'
import { renderServiceKeys } from '@eas/service-json'
import { renderDebugLevels } from '@eas/torcheasyrec'

/** A table printed from code into a page, between `<!-- name:begin -->` and `<!-- name:end -->`. */
export const tables: readonly { readonly page: string; readonly name: string; readonly render: () => string }[] = [
  { page: 'README.md', name: 'settings', render: renderSettings },
  { page: 'packages/batch/README.md', name: 'batch-settings', render: renderBatchVariables },
  { page: 'packages/feature-store/README.md', name: 'sources', render: renderSources },
  { page: 'packages/feature-store/README.md', name: 'source-settings', render: renderSourceSettings },
  { page: 'packages/fg/README.md', name: 'operators', render: renderOperators },
  { page: 'packages/import-savedmodel/README.md', name: 'savedmodel-ops', render: renderTensorFlowOps },
  { page: 'packages/import-torchscript/README.md', name: 'torchscript-ops', render: renderTorchOps },
  { page: 'packages/recall/README.md', name: 'index-formats', render: renderIndexFormats },
  { page: 'packages/torcheasyrec/README.md', name: 'debug-levels', render: renderDebugLevels },
  { page: 'packages/service-json/README.md', name: 'service-keys', render: renderServiceKeys },
]

function renderSettings(): string {
  const rows = Object.values(settingsTable).map(
    ({ env, fallback, allowed, meaning }) =>
      `| \`${env}\` | ${allowed.replaceAll('|', '\\|')} | ${showDefault(fallback)} | ${meaning.replaceAll('|', '\\|')} |`,
  )
  return ['| variable | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

const showDefault = (fallback: unknown) =>
  fallback === '' || (Array.isArray(fallback) && fallback.length === 0) ? '' : `\`${String(fallback)}\``

/** A page with its tables as the code has them now. */
export async function renderPage(page: string): Promise<string> {
  let text = await readFile(new URL(`../${page}`, import.meta.url), 'utf8')
  for (const { name, render } of tables.filter((table) => table.page === page)) {
    const begin = `<!-- ${name}:begin -->`
    const end = `<!-- ${name}:end -->`
    const from = text.indexOf(begin)
    const to = text.indexOf(end)
    if (from < 0 || to < from) throw new Error(`${page} has no ${begin} … ${end}`)
    text = `${text.slice(0, from + begin.length)}\n${render()}\n${text.slice(to)}`
  }
  return text
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const page of new Set(tables.map((table) => table.page))) {
    await writeFile(new URL(`../${page}`, import.meta.url), await renderPage(page))
  }
}
