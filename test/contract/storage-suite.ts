import { randomBytes } from 'node:crypto'
import type { ObjectStore } from '@eas/storage'
import { describe, expect, it } from 'vitest'

/** A store under test, and whether it can be written to; if not, `place` puts objects there from behind. */
export interface Subject {
  readonly store: ObjectStore
  readonly place?: (key: string, bytes: Uint8Array) => Promise<void>
  /** A store of the same bucket that must be refused: wrong keys. */
  readonly stranger?: ObjectStore
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

async function all(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function keysOf(store: ObjectStore, prefix: string, options?: { after?: string }): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix, options)) keys.push(key)
  return keys
}

/** Keys that have been read differently by one store or another. */
const awkwardKeys = [
  'plain',
  'with space',
  'plus+and&equals=',
  'per%2Fcent',
  'question?mark#hash',
  'quotes\'"!()*',
  'ünï/cödé/模型/🤖',
  'tilde~and-dots..txt',
  'semi;colon,comma:at@',
]

/** What every driver must do alike. */
export function storeContract(name: string, open: () => Subject | Promise<Subject>): void {
  describe(`the store ${name}`, async () => {
    const run = randomBytes(4).toString('hex')
    let subject: Subject | undefined
    const opened = async () => {
      subject ??= await open()
      return subject
    }
    const writable = name !== 'http'
    const write = async (key: string, bytes: Uint8Array) => {
      const { store, place } = await opened()
      if (place) await place(key, bytes)
      else await store.put(key, bytes)
    }

    describe('reading', () => {
      it('head() says size and version, and undefined for nothing', async () => {
        const { store } = await opened()
        await write(`${run}/head`, bytesOf('hello'))
        const info = await store.head(`${run}/head`)
        expect(info).toMatchObject({ key: `${run}/head`, size: 5 })
        expect(info?.version).toMatch(/./)
        expect(await store.head(`${run}/nothing`)).toBeUndefined()
        expect(await store.head(`${run}/head/below`)).toBeUndefined()
      })

      it('read() gives the bytes of a range', async () => {
        const { store } = await opened()
        await write(`${run}/range`, bytesOf('0123456789'))
        const read = async (start: number, end: number) => textOf(await store.read(`${run}/range`, { start, end }))
        expect(await read(0, 10)).toBe('0123456789')
        expect(await read(3, 4)).toBe('3')
        expect(await read(9, 10)).toBe('9')
        expect(await read(4, 4)).toBe('')
        expect(await read(10, 10)).toBe('')
        await expect(read(5, 11)).rejects.toMatchObject({ name: 'StoreError', code: 'invalid' })
        await expect(read(11, 11)).rejects.toMatchObject({ code: 'invalid' })
        await expect(read(5, 4)).rejects.toMatchObject({ code: 'invalid' })
        await expect(read(-1, 4)).rejects.toMatchObject({ code: 'invalid' })
        await expect(store.read(`${run}/nothing`, { start: 0, end: 1 })).rejects.toMatchObject({ code: 'not-found' })
      })

      it('stream() gives the whole, or from and to where asked', async () => {
        const { store } = await opened()
        const bytes = randomBytes(300_000)
        await write(`${run}/stream`, bytes)
        const whole = await store.stream(`${run}/stream`)
        expect(whole.info).toMatchObject({ key: `${run}/stream`, size: bytes.length })
        expect(Buffer.compare(await all(whole.body), bytes)).toBe(0)
        for (const [start, end] of [
          [299_999, undefined],
          [300_000, undefined],
          [0, 1],
          [100_000, 200_001],
          [7, 7],
        ] as const) {
          const part = await store.stream(`${run}/stream`, { start, ...(end !== undefined && { end }) })
          expect(part.info.size).toBe(bytes.length)
          expect(Buffer.compare(await all(part.body), bytes.subarray(start, end))).toBe(0)
        }
        await expect(store.stream(`${run}/stream`, { start: 300_001 })).rejects.toMatchObject({ code: 'invalid' })
        await expect(store.stream(`${run}/nothing`)).rejects.toMatchObject({ code: 'not-found' })
      })

      it('an empty object is an object', async () => {
        const { store } = await opened()
        await write(`${run}/empty`, new Uint8Array(0))
        expect(await store.head(`${run}/empty`)).toMatchObject({ size: 0 })
        expect(await all((await store.stream(`${run}/empty`)).body)).toHaveLength(0)
        expect(await store.read(`${run}/empty`, { start: 0, end: 0 })).toHaveLength(0)
      })

      it('a version that is not there any more is `changed`, for head-pinned reads and streams', async () => {
        const { store } = await opened()
        await write(`${run}/version`, bytesOf('old bytes'))
        const version = (await store.head(`${run}/version`))?.version ?? ''
        expect(textOf(await store.read(`${run}/version`, { start: 0, end: 3 }, { version }))).toBe('old')
        expect((await store.stream(`${run}/version`, { version, start: 4 })).info.version).toBe(version)
        await write(`${run}/version`, bytesOf('new bytes, more'))
        expect((await store.head(`${run}/version`))?.version).not.toBe(version)
        await expect(store.read(`${run}/version`, { start: 0, end: 3 }, { version })).rejects.toMatchObject({
          code: 'changed',
        })
        await expect(store.stream(`${run}/version`, { version })).rejects.toMatchObject({ code: 'changed' })
        await expect(store.stream(`${run}/version`, { version, start: 2, end: 4 })).rejects.toMatchObject({
          code: 'changed',
        })
      })

      it.each(awkwardKeys)('key %j', async (key) => {
        const { store } = await opened()
        await write(`${run}/keys/${key}`, bytesOf(key))
        expect(await store.head(`${run}/keys/${key}`)).toMatchObject({ key: `${run}/keys/${key}` })
        expect(textOf(await all((await store.stream(`${run}/keys/${key}`)).body))).toBe(key)
      })

      it.each(['', '/a', 'a/', 'a//b', 'a/../b', '..', '.', 'a/./b', 'a\u0000b', 'a\nb', '\ud800', 'x'.repeat(1025)])(
        'key %j is refused before anything is asked',
        async (key) => {
          const { store } = await opened()
          await expect(store.head(key)).rejects.toMatchObject({ code: 'invalid' })
          await expect(store.read(key, { start: 0, end: 1 })).rejects.toMatchObject({ code: 'invalid' })
          await expect(store.stream(key)).rejects.toMatchObject({ code: 'invalid' })
        },
      )

      it('a signal ends a call, with `cancelled` or by its timeout with `timeout`', async () => {
        const { store } = await opened()
        await write(`${run}/signal`, bytesOf('x'))
        const signal = AbortSignal.abort()
        await expect(store.head(`${run}/signal`, { signal })).rejects.toMatchObject({ code: 'cancelled' })
        await expect(store.stream(`${run}/signal`, { signal })).rejects.toMatchObject({ code: 'cancelled' })
        const late = AbortSignal.abort(new DOMException('late', 'TimeoutError'))
        await expect(store.head(`${run}/signal`, { signal: late })).rejects.toMatchObject({ code: 'timeout' })
      })

      it('a stranger is refused, with no secret in the message', async () => {
        const { stranger } = await opened()
        if (!stranger) return expect(['file', 'memory', 'http', 'gcs, fake-gcs-server']).toContain(name) // they know no strangers
        await write(`${run}/stranger`, bytesOf('x'))
        for (const call of [
          () => stranger.head(`${run}/stranger`),
          () => stranger.read(`${run}/stranger`, { start: 0, end: 1 }),
          () => stranger.put(`${run}/stranger`, bytesOf('y')),
          () => keysOf(stranger, run),
        ]) {
          const error = await call().then(
            () => undefined,
            (e) => e,
          )
          expect(error).toMatchObject({ name: 'StoreError', code: expect.stringMatching(/^(denied|expired)$/) })
          expect(error.message).not.toMatch(/wrong-secret|Signature=/)
        }
      })
    })

    if (!writable) return

    describe('writing', () => {
      it('put() writes the whole object, replaces it, and says what it wrote', async () => {
        const { store } = await opened()
        const first = await store.put(`${run}/put`, bytesOf('one'))
        expect(first).toMatchObject({ key: `${run}/put`, size: 3 })
        expect((await store.head(`${run}/put`))?.version).toBe(first.version)
        const second = await store.put(`${run}/put`, bytesOf('three'), { contentType: 'text/plain' })
        expect(second.version).not.toBe(first.version)
        expect(textOf(await store.read(`${run}/put`, { start: 0, end: 5 }))).toBe('three')
      })

      it('put() takes a stream of a known size, and refuses one of another size', async () => {
        const { store } = await opened()
        const bytes = randomBytes(200_000)
        async function* chunks() {
          for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000)
        }
        await store.put(`${run}/put-stream`, { size: bytes.length, stream: chunks() })
        expect(Buffer.compare(await all((await store.stream(`${run}/put-stream`)).body), bytes)).toBe(0)
        for (const size of [bytes.length - 1, bytes.length + 1]) {
          await expect(store.put(`${run}/put-wrong`, { size, stream: chunks() })).rejects.toMatchObject({
            name: 'StoreError',
          })
          expect(await store.head(`${run}/put-wrong`)).toBeUndefined()
        }
      })

      it('create() writes only where nothing is; of ten at once exactly one', async () => {
        const { store } = await opened()
        expect(await store.create(`${run}/create`, bytesOf('first'))).toBe(true)
        expect(await store.create(`${run}/create`, bytesOf('second'))).toBe(false)
        expect(textOf(await store.read(`${run}/create`, { start: 0, end: 5 }))).toBe('first')
        const race = await Promise.all(
          Array.from({ length: 10 }, async (_, i) => ({ i, won: await store.create(`${run}/race`, bytesOf(`${i}`)) })),
        )
        const winners = race.filter(({ won }) => won)
        expect(winners).toHaveLength(1)
        expect(textOf(await store.read(`${run}/race`, { start: 0, end: 1 }))).toBe(`${winners[0]?.i}`)
      })

      it('delete() removes what is there, and nothing where nothing is', async () => {
        const { store } = await opened()
        await store.put(`${run}/delete`, bytesOf('x'))
        await store.delete(`${run}/delete`)
        await store.delete(`${run}/delete`)
        expect(await store.head(`${run}/delete`)).toBeUndefined()
        expect(await store.create(`${run}/delete`, bytesOf('y'))).toBe(true)
      })

      it('list() gives keys in order of their UTF-8 bytes, below a prefix, behind a key', async () => {
        const { store } = await opened()
        // '.' < '/' < '0'; '\uff5e' < '🤖' in UTF-8 but not in UTF-16.
        const names = ['a', 'a.b', 'a0', 'b/1', 'b/2', 'b/c/3', 'b.x', 'bb', '～', '🤖']
        for (const each of names) await store.put(`${run}/list/${each}`, bytesOf(each))
        const inOrder = names
          .map((n) => `${run}/list/${n}`)
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(await keysOf(store, `${run}/list/`)).toEqual(inOrder)
        expect(await keysOf(store, `${run}/list/b/`)).toEqual(['b/1', 'b/2', 'b/c/3'].map((n) => `${run}/list/${n}`))
        expect(await keysOf(store, `${run}/list/b`)).toEqual(inOrder.filter((k) => k.startsWith(`${run}/list/b`)))
        for (const after of inOrder) {
          expect(await keysOf(store, `${run}/list/`, { after })).toEqual(inOrder.slice(inOrder.indexOf(after) + 1))
        }
        expect(await keysOf(store, `${run}/list/b/`, { after: `${run}/list/b/1x` })).toEqual(
          ['b/2', 'b/c/3'].map((n) => `${run}/list/${n}`),
        )
        expect(await keysOf(store, `${run}/nothing-here/`)).toEqual([])
        const [info] = await firstOf(store, `${run}/list/b/1`)
        expect(info).toMatchObject({ size: 3, version: (await store.head(`${run}/list/b/1`))?.version })
      })

      it('list() turns pages', async () => {
        const { store } = await opened()
        const keys = Array.from({ length: 25 }, (_, i) => `${run}/pages/${String(i).padStart(4, '0')}`)
        await Promise.all(keys.map((key) => store.put(key, bytesOf('x'))))
        expect(await keysOf(store, `${run}/pages/`)).toEqual(keys)
      })
    })
  })
}

async function firstOf(store: ObjectStore, prefix: string) {
  for await (const info of store.list(prefix)) return [info]
  return []
}
