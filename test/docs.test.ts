import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { renderPage, tables } from '../infra/docs.ts'

const root = join(import.meta.dirname, '..')

describe('the documents', () => {
  it.each([...new Set(tables.map((table) => table.page))])('%s has the tables that the code has', async (page) => {
    expect(await renderPage(page), 'npm run docs writes them').toBe(readFileSync(join(root, page), 'utf8'))
  })

  const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: root })
    .toString()
    .split('\n')
    .filter((page) => page !== '' && existsSync(join(root, page)))

  it.each(pages)('%s links to what exists', (page) => {
    const text = readFileSync(join(root, page), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      expect(existsSync(join(root, dirname(page), target)), `${page} -> ${target}`).toBe(true)
    }
  })
})
