import { JsonBytes } from './json-bytes.ts'
import type { OutputFormat } from './row-writer.ts'
import { jsonOfKept, writeRow } from './values.ts'

/** A JSON object per row: the kept columns, then the outputs. */
export const ndjsonOutput: OutputFormat = {
  name: 'ndjson',
  extension: 'ndjson',
  contentType: 'application/x-ndjson',
  writer(outputs) {
    const json = new JsonBytes()
    const columns = [...outputs].map(([output, column]) => ({ output, start: startOf(column) }))
    return {
      write({ batch, runs }) {
        const kept = [...batch.kept].map(([name, values]) => ({ start: startOf(name), values }))
        for (const { row, count, outputs, index } of runs) {
          const tensors = columns.flatMap(({ output, start }) => {
            const tensor = outputs.get(output)
            return tensor ? [{ tensor, start }] : []
          })
          for (let i = 0; i < count; i++) {
            let before = openBrace
            for (const { start, values } of kept) {
              const value = values[row + i]
              if (value === undefined) continue
              json.byte(before)
              json.bytes(start)
              json.text(jsonOfKept(value))
              before = comma
            }
            for (const { tensor, start } of tensors) {
              json.byte(before)
              json.bytes(start)
              writeRow(json, tensor, index + i)
              before = comma
            }
            if (before === openBrace) json.byte(openBrace)
            json.byte(closeBrace)
            json.byte(newline)
          }
        }
      },
      async end() {
        return json.take()
      },
    }
  },
}

const startOf = (name: string) => Buffer.from(`${JSON.stringify(name)}:`)
const openBrace = 0x7b
const closeBrace = 0x7d
const comma = 0x2c
const newline = 0x0a
