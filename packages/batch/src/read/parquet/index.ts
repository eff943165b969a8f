export { chunkPages } from './chunk-pages.ts'
export { ColumnReader } from './column-reader.ts'
export { pageCompressors } from './compressors.ts'
export { leafOf } from './leaf.ts'
