import type { OutputFormat } from './row-writer.ts'
import { jsonOfKept, jsonOfRow } from './values.ts'

/** A JSON object per row: the kept columns, then the outputs. */
export const ndjsonOutput: OutputFormat = {
  name: 'ndjson',
  extension: 'ndjson',
  contentType: 'application/x-ndjson',
  writer(outputs) {
    const pieces: Buffer[] = []
    const columns = [...outputs].map(([output, column]) => ({ output, column, start: `${JSON.stringify(column)}:` }))
    const names = new Set(outputs.values())
    return {
      write({ batch, runs }) {
        const kept = [...batch.kept]
          .filter(([name]) => !names.has(name))
          .map(([name, values]) => ({ start: `${JSON.stringify(name)}:`, values }))
        let text = ''
        for (const { row, count, outputs, index } of runs) {
          const tensors = columns.flatMap(({ output, start }) => {
            const tensor = outputs.get(output)
            return tensor ? [{ tensor, start }] : []
          })
          for (let i = 0; i < count; i++) {
            let before = '{'
            for (const { start, values } of kept) {
              const value = values[row + i]
              if (value === undefined) continue
              text += before + start + jsonOfKept(value)
              before = ','
            }
            for (const { tensor, start } of tensors) {
              text += before + start + jsonOfRow(tensor, index + i)
              before = ','
            }
            text += before === '{' ? '{}\n' : '}\n'
          }
        }
        if (text !== '') pieces.push(Buffer.from(text))
      },
      async end() {
        return pieces.length > 0 ? Buffer.concat(pieces) : undefined
      },
    }
  },
}
