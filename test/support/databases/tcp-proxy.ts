import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

/** What a server seems to do. */
export type Weather =
  | 'fine'
  /** Connections end as soon as they are made. */
  | 'down'
  /** Connections end in the middle of what the server sends. */
  | 'cut'
  /** Connections are taken, and nothing comes back: never, even when it is fine again. */
  | 'silent'

/** Bytes of a server's that pass before a connection is cut: more than greetings, less than a catalogue. */
const cutAfterBytes = 3000

export interface TcpProxy {
  readonly host: string
  readonly port: number
  /** From now on. Connections from before end, unless it is silent: those that were there stay and are, too. */
  set(weather: Weather): void
  close(): Promise<void>
}

/** A port in front of a server's, whatever its protocol. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  let weather: Weather = 'fine'
  const sockets = new Set<Socket>()
  /** Those of servers that will never be heard again. */
  const silent = new WeakSet<Socket>()
  const server = createServer((client) => {
    if (weather === 'down') return void client.destroy()
    const upstream = connect(port, '127.0.0.1')
    if (weather === 'silent') silent.add(client).add(upstream)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        if (!silent.has(socket)) other.destroy()
      })
    }
    client.pipe(upstream)
    let passed = 0
    upstream.on('data', (chunk) => {
      if (silent.has(upstream)) return
      passed += chunk.length
      if (weather !== 'cut' || passed <= cutAfterBytes) client.write(chunk)
      else client.write(chunk.subarray(0, chunk.length - (passed - cutAfterBytes)), () => client.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port, // it listens on TCP
    set(next) {
      weather = next
      for (const socket of sockets) {
        if (next === 'silent') silent.add(socket)
        else if (!silent.has(socket)) socket.destroy()
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
