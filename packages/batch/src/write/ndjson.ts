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
      write({ batch, results }) {
        const kept = [...batch.kept]
          .filter(([name]) => !names.has(name))
          .map(([name, values]) => ({ start: `${JSON.stringify(name)}:`, values }))
        let text = ''
        for (const [row, result] of results.entries()) {
          if (!result) continue
          let line = ''
          for (const { start, values } of kept) {
            const value = values[row]
            if (value !== undefined) line += `${line === '' ? '' : ','}${start}${jsonOfKept(value)}`
          }
          for (const { output, start } of columns) {
            const tensor = result.outputs.get(output)
            if (tensor) line += `${line === '' ? '' : ','}${start}${jsonOfRow(tensor, result.index)}`
          }
          text += `{${line}}\n`
        }
        if (text !== '') pieces.push(Buffer.from(text))
      },
      async end() {
        return pieces.length > 0 ? Buffer.concat(pieces) : undefined
      },
    }
  },
}
