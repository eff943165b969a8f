import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  bladeKeys,
  easyRecKeys,
  type KeyTable,
  parseServiceJson,
  renderServiceKeys,
  serviceKeys,
  torchEasyRecKeys,
} from './index.ts'

const readme = readFileSync(`${import.meta.dirname}/../README.md`, 'utf8')
const tables: readonly KeyTable[] = [serviceKeys, torchEasyRecKeys, easyRecKeys, bladeKeys]

describe('renderServiceKeys()', () => {
  it('is what the README shows; `npm run docs` writes it there', () => {
    const [, shown] = /<!-- service-keys:begin -->\n([\s\S]*?)\n?<!-- service-keys:end -->/.exec(readme) ?? []
    expect(shown?.trim()).toBe(renderServiceKeys())
  })

  it('has every default among the values its row allows', () => {
    for (const row of tables.flatMap((table) => Object.values(table))) {
      if (row.default !== undefined) expect(row.type.parse(row.default)).toEqual({ value: row.default })
    }
  })
})

describe('README.md', () => {
  it('has an example that is right', () => {
    const [, example = ''] = /```jsonc\n([\s\S]*?)```/.exec(readme) ?? []
    const { config, warnings } = parseServiceJson(example)
    expect(config.name).toBe('digits')
    expect(config.notServable).toEqual([])
    expect(warnings.map(({ message }) => message)).toEqual([
      'metadata.rpc.keepalvie: is not a known key and is ignored; did you mean metadata.rpc.keepalive?',
    ])
  })
})
