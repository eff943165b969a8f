/** The parts of Tablestore's official SDK that the emulator is made of; it has no types of its own. */
declare module 'tablestore' {
  type Int64 = { readonly int64: unique symbol }
  type Value = string | number | boolean | Int64
  const sdk: {
    readonly INF_MIN: Int64
    readonly INF_MAX: Int64
    readonly Long: { fromString(text: string): Int64 }
    readonly PlainBufferBuilder: {
      serializePrimaryKey(key: readonly Record<string, Value>[]): Buffer
      serializeForPutRow(key: readonly Record<string, Value>[], columns: readonly Record<string, Value>[]): Buffer
    }
    readonly Signer: new (request: {
      readonly path: string
      readonly method: string
      readonly headers: Record<string, unknown>
    }) => { stringToSign(): string; sign(secret: string, text: string): string }
  }
  export default sdk
}

declare module 'tablestore/lib/protocol/tablestore_compiled_proto.js' {
  interface Message<T> {
    decode(bytes: Uint8Array): T
    encode(message: unknown): { finish(): Uint8Array }
  }
  const protocol: {
    readonly main: {
      readonly proto: {
        readonly GetRangeRequest: Message<{
          readonly tableName: string
          readonly columnsToGet: readonly string[]
          readonly maxVersions: number
          readonly inclusiveStartPrimaryKey: Uint8Array
          readonly exclusiveEndPrimaryKey: Uint8Array
        }>
        readonly GetRangeResponse: Message<unknown>
        readonly BatchGetRowRequest: Message<{
          readonly tables: readonly {
            readonly tableName: string
            readonly columnsToGet: readonly string[]
            readonly primaryKey: readonly Uint8Array[]
          }[]
        }>
        readonly BatchGetRowResponse: Message<unknown>
      }
    }
  }
  export default protocol
}
