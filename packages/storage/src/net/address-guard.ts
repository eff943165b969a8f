import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { StoreError } from '../store-error.ts'

/**
 * Hosts that hand out a machine's identity, and the link-local network they live on. No store lives there, so nothing
 * that a service.json or a redirect says may reach them.
 */
const forbidden = new BlockList()
forbidden.addSubnet('0.0.0.0', 8)
forbidden.addSubnet('169.254.0.0', 16) // AWS 169.254.169.254, .170.2, .170.23; Google 169.254.169.254
forbidden.addAddress('100.100.100.200') // Alibaba Cloud
forbidden.addAddress('192.0.0.192') // Oracle Cloud
forbidden.addAddress('168.63.129.16') // Azure
forbidden.addSubnet('224.0.0.0', 4)
forbidden.addSubnet('240.0.0.0', 4)
forbidden.addAddress('::', 'ipv6')
forbidden.addSubnet('fe80::', 10, 'ipv6')
forbidden.addAddress('fd00:ec2::254', 'ipv6') // AWS
forbidden.addAddress('fd00:ec2::23', 'ipv6')
forbidden.addAddress('fd20:ce::254', 'ipv6') // Google
forbidden.addSubnet('ff00::', 8, 'ipv6')

/** Names that stand for them whatever they resolve to. */
const forbiddenNames = /(^|\.)(metadata|instance-data|metadata\.google\.internal|metadata\.goog)\.?$/i

/** Networks behind the edge: a public host may not redirect into them. */
const inside = new BlockList()
for (const [net, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  inside.addSubnet(net, prefix)
}
inside.addAddress('::1', 'ipv6')
inside.addSubnet('fc00::', 7, 'ipv6')

/** The IPv4 address that an IPv6 one stands for: mapped, compatible, NAT64 (RFC 6052) and 6to4 (RFC 3056). */
function embeddedIPv4(address: string): string | undefined {
  const host = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [head = '', tail] = host.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right].map((g) =>
    Number.parseInt(g, 16),
  )
  const dotted = (high = 0, low = 0) => [high >> 8, high & 255, low >> 8, low & 255].join('.')
  const zeros = (count: number) => groups.slice(0, count).every((g) => g === 0)
  if (zeros(5) && (groups[5] === 0xffff || groups[5] === 0) && (groups[6] ?? 0) !== 0)
    return dotted(groups[6], groups[7])
  if (groups[0] === 0x64 && groups[1] === 0xff9b) return dotted(groups[6], groups[7])
  if (groups[0] === 0x2002) return dotted(groups[1], groups[2])
  return undefined
}

const isOn = (list: BlockList, address: string): boolean => {
  if (isIP(address) === 4) return list.check(address)
  const v4 = embeddedIPv4(address)
  return list.check(address, 'ipv6') || (v4 !== undefined && list.check(v4))
}

/** Whether an address is this machine's or a private network's. */
export const isInside = (address: string): boolean => isOn(inside, address)

const refusal = (host: string) =>
  new StoreError('denied', `Cannot connect to ${host}: link-local and metadata hosts are refused`)

/** @throws {StoreError} `denied`. A name passes here; what it resolves to is checked by `guardedLookup`. */
export function checkHost(hostname: string): void {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) ? isOn(forbidden, host) : forbiddenNames.test(host)) throw refusal(hostname)
}

/** `dns.lookup` that fails if any of a name's addresses is forbidden, so that the address checked is the one used. */
export function guardedLookup(lookup: LookupFunction = systemLookup as LookupFunction): LookupFunction {
  return (hostname, options: LookupOptions, callback) => {
    lookup(hostname, options, (error, found: string | LookupAddress[], family) => {
      if (error) return callback(error, found, family)
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
      if (addresses.some((address) => isOn(forbidden, address))) return callback(refusal(hostname), found, family)
      callback(null, found, family)
    })
  }
}
