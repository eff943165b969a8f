import { Agent, request as httpRequest } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { EasRequest } from '@eas/protocol'

/** Connections of this process to its own server. */
export class Loopback {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 })
  private readonly own = new Set<string>()

  /** Whether the server's side of a connection is one of these: nobody else can have its address and port meanwhile. */
  has({ remoteAddress, remotePort }: Socket): boolean {
    return this.own.size > 0 && this.own.has(nameOf(remoteAddress, remotePort))
  }

  /** Resolves when the answer has come whole, whatever it is. */
  carry({ address, port }: AddressInfo, { method, target, headers, body }: EasRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      const host = everywhere[address] ?? address
      httpRequest({ host, port, agent: this.agent, method, path: target, headers }, (response) => {
        response.resume().on('end', resolve).on('error', reject)
      })
        .on('socket', (socket) => {
          if (socket.connecting) socket.once('connect', () => this.add(socket))
        })
        .on('error', reject)
        .end(body)
    })
  }

  close(): void {
    this.agent.destroy()
  }

  private add(socket: Socket): void {
    const name = nameOf(socket.localAddress, socket.localPort)
    this.own.add(name)
    socket.once('close', () => this.own.delete(name))
  }
}

/** Where a server that listens on every address can be reached. */
const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

const nameOf = (address = '', port = 0) => `${address.replace(/^::ffff:/, '')} ${port}`
