import { describe, expect, it } from 'vitest'
import { renderOps } from './docs.ts'

describe('renderOps()', () => {
  it('has a section per family, each operator once in it', () => {
    const sections = renderOps().split('### ').slice(1)
    expect(sections.length).toBeGreaterThan(10)
    for (const section of sections) {
      const names = [...section.matchAll(/`([A-Za-z]\w*)`/g)].map(([, name]) => name)
      expect(new Set(names).size, section.slice(0, 40)).toBe(names.length)
    }
    expect(renderOps()).toContain('`ResourceGather`')
    expect(renderOps()).toContain('`ParseExampleV2`')
  })
})
