import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EasError } from '@eas/base'
import type { StoreSettings } from '@eas/storage'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WarmUp, type WarmUpSpec } from './warm-up.ts'

let folder: string
let server: Server | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eas-kept-'))
})
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
  rmSync(folder, { recursive: true })
})

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener)
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // listening on TCP
}

/** What a warm-up says of these paths, and the requests that it sent. */
async function warm(paths: readonly string[], given: Partial<WarmUpSpec> = {}, stores: StoreSettings = {}) {
  const sent: string[] = []
  const spec = { sends: 1, budgetMs: 10_000, isRequired: false, keepAt: undefined, filesMax: 10, bytesMax: 1000 }
  const warmUp = new WarmUp(
    { ...spec, ...given, paths, stores },
    async () => '',
    () => {},
  )
  const report = await warmUp.run(async (body) => {
    sent.push(Buffer.from(body).toString())
    return 1
  })
  return { report, sent, isKeeping: warmUp.copy(new Uint8Array(1)) !== undefined }
}

describe('a warm-up', () => {
  it('reads a file, a folder, and lines of text', async () => {
    mkdirSync(join(folder, 'more'))
    writeFileSync(join(folder, 'a.bin'), 'one')
    writeFileSync(join(folder, 'more/b.bin'), 'two')
    writeFileSync(join(folder, 'more/c.txt'), 'three\r\nfour\n')
    writeFileSync(join(folder, 'more/empty.bin'), '')
    writeFileSync(join(folder, 'more/.DS_Store'), 'of a Mac')
    mkdirSync(join(folder, 'more/.git'))
    writeFileSync(join(folder, 'more/.git/HEAD'), 'of git')
    const { sent } = await warm([join(folder, 'a.bin'), join(folder, 'more')])
    expect(sent).toEqual(['one', 'two', 'three', 'four'])
  })

  it('says that there is nothing at a path, and fails by it where it is required', async () => {
    const path = join(folder, 'mistyped.bin')
    const { report } = await warm([path])
    expect(report).toMatchObject({ skipped: 1, firstFailure: `Cannot read ${path}: there is nothing there` })
    await expect(warm([path], { isRequired: true })).rejects.toThrow(EasError)
  })

  it('finds it in order that the folder it fills itself is empty', async () => {
    const { report, isKeeping } = await warm([`${folder}/`], { keepAt: folder, isRequired: true })
    expect(report).toMatchObject({ requests: 0, skipped: 0 })
    expect(isKeeping).toBe(true)
  })

  it.each([
    ['is silent', () => {}],
    [
      'never ends its answer',
      (_, response) => void response.writeHead(206, { 'content-range': 'bytes 0-0/9' }).write('1'),
    ],
  ] as readonly [string, RequestListener][])('is over when its time is, though a store %s', async (_, listener) => {
    const origin = await serve(listener)
    const started = performance.now()
    const { report, isKeeping } = await warm([`${origin}/a.bin`], { budgetMs: 300, keepAt: folder })
    expect(report).toMatchObject({ requests: 0, ended: 'budget' })
    // Whoever cannot be read from is not written to.
    expect(isKeeping).toBe(false)
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  it('asks a store again that is overloaded for a moment', async () => {
    let refusals = 0
    const origin = await serve((_, response) => {
      if (refusals++ < 2) response.writeHead(503).end()
      else response.writeHead(200, { 'content-length': 3 }).end('one')
    })
    expect((await warm([`${origin}/a.bin`])).sent).toEqual(['one'])
  })

  it('does not tell the query of an address, which may be a signature', async () => {
    const origin = await serve((_, response) => void response.writeHead(403).end())
    const { report } = await warm([`${origin}/a.bin?Signature=secret`])
    expect(report?.firstFailure).toContain(`Cannot read ${origin}/a.bin: `)
    expect(report?.firstFailure).not.toContain('secret')
  })
})
