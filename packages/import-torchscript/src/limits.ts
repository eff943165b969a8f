/** Bounds on a TorchScript archive and on what its code may do while it is lowered. */
export const limits = {
  /** Entries of the archive. A 12-layer transformer has 400; embedding models with a table per feature some thousands. */
  entries: 262_144,
  /** Bytes of the central directory: 100 per entry. */
  directoryBytes: 64 * 1024 * 1024,
  /** Bytes of one source file. The largest seen, a traced detection model, is 1 MB. */
  sourceBytes: 8 * 1024 * 1024,
  /** Bytes of all source files that were parsed. */
  allSourceBytes: 32 * 1024 * 1024,
  /** Bytes of `data.pkl` or `constants.pkl`: 2 MB for the largest models seen. */
  pickleBytes: 64 * 1024 * 1024,
  /** Entries of a pickle's memo, and values it makes. */
  pickleValues: 4_194_304,
  /** Nesting of values, expressions and blocks. Modules nest some 20 deep, expressions 50. */
  depth: 400,
  /** Statements run while the model is lowered: 900 for ResNet-18, 200,000 for long unrolled loops. */
  statements: 2_000_000,
  /** Expressions evaluated, and items of the lists they make: 6,000 for ResNet-50, 16,000 for Mask R-CNN, a million where
   *  10,000 steps of a recurrent network are unrolled. */
  work: 5_000_000,
  /** The same, of a model that is evaluated some dozens of times to see whether what it keeps is settled. TinyViT has 8,000. */
  settlingWork: 100_000,
  /** Sizes that are varied for it, one after the other. */
  settlingSizes: 8,
  /** Times a loop's body is repeated when its count is known. */
  unrolled: 10_000,
  /** Calls within calls. */
  calls: 200,
  /** Characters of a string the code makes. */
  stringChars: 1_048_576,
  /** Items of a list the code makes. */
  listItems: 262_144,
  /** Tensors a model returns. */
  outputs: 65_536,
  /** Weights whose place only a header of their own tells, each of them read. Torch's own writer makes none. */
  headers: 4096,
  /** Bytes of weights read because they have to be rearranged, or because their values shape the graph. */
  copiedBytes: 1024 * 1024 * 1024,
} as const
