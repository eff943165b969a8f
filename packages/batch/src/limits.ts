/** Bounds on what objects hold, each far above what real ones do. */
export const batchLimits = {
  /** Bytes of one row of text or one recorded request. An image of `[3, 224, 224]` is 3 MB as text. */
  rowBytes: 64 * 1024 * 1024,
  /** Levels of lists and objects in a row. */
  depth: 32,
  /** Columns of a table. Wide feature tables have some thousands. */
  columns: 65_536,
  /**
   * Bytes of an Arrow record batch, of a page of Parquet, or of a nested column of a row group, decoded. Writers' defaults
   * are 64 k rows, 1 MB, and 128 MB for all columns.
   */
  groupBytes: 1024 * 1024 * 1024,
  /**
   * Values of one Parquet page: lists of 128 in a million rows. Writers cut at a megabyte or 20,000 rows, but equal values
   * take next to nothing.
   */
  pageEntries: 2 ** 27,
  /** Characters of a reason in the error file. */
  reasonChars: 300,
  /** Bytes of a manifest, a chunk's record or a mapping. */
  documentBytes: 256 * 1024 * 1024,
  /** Columns of a part that the parts behind it take over: rows of NDJSON may each have keys of their own, without end. */
  sharedColumns: 2000,
} as const
