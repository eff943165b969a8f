import { basename, dirname } from 'node:path'
import { openFrozenGraph } from '@eas/import-savedmodel'
import type { Lowering } from '../lowering.ts'
import { fileSource } from './file-source.ts'
import { loweredSignature, valueInfosOf } from './signature.ts'

/** Nodes that are fed and fetched, as the name of an entry. */
interface Nodes {
  readonly feeds: readonly string[]
  readonly fetches: readonly string[]
}

/**
 * A frozen graph, binary or text. It has no signature: a request feeds nodes by their names and fetches those that its
 * `output_filter` names.
 * @see EAS, "TensorFlow processor"
 */
export async function frozenGraphLowering(path: string): Promise<Lowering> {
  const source = fileSource(path)
  const graph = await openFrozenGraph(source, basename(path)).finally(() => source.close())
  return {
    folder: dirname(path),
    entries: undefined,
    entryFor(request) {
      if (!request) return undefined
      if (request.output_filter.length === 0) return undefined
      const nodes: Nodes = { feeds: [...request.tensors.keys()].map(String).sort(), fetches: request.output_filter }
      return JSON.stringify(nodes)
    },
    describe: async () => ({
      inputs: valueInfosOf(graph.placeholders),
      outputs: graph.ends.map((name) => ({ name, dtype: undefined, shape: undefined })),
      mustNameOutputs: true,
    }),
    async lower(name, specs = []) {
      const { feeds, fetches } = JSON.parse(name) as Nodes // as entryFor wrote it
      const isSaid = (feed: string) => graph.placeholders.get(feed.replace(/:0$/, ''))?.shape !== undefined
      const inputs = feeds.map((feed) => (isSaid(feed) ? feed : (specs.find(({ input }) => input === feed) ?? feed)))
      return loweredSignature('nodes', name, graph.lower({ inputs, outputs: [...new Set(fetches)] }), specs)
    },
    close() {},
  }
}
