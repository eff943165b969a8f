/** The clients' compressors, by the names that `metadata.rpc.decompressor` has for them. */
export const compressorNames = ['gzip', 'zlib', 'snappy', 'lz4', 'lz4_frame', 'zstd'] as const
export type Compressor = (typeof compressorNames)[number]
