import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { combineCrc, crc32, crc32c, crcHex } from './crc.ts'

const ascii = (text: string) => new TextEncoder().encode(text)

// "123456789": the check values of both in the catalogue of parametrised CRC algorithms; the rest: RFC 3720, B.4.
it.each([
  [crc32, ascii('123456789'), 'cbf43926'],
  [crc32c, ascii('123456789'), 'e3069283'],
  [crc32c, new Uint8Array(32), '8a9136aa'],
  [crc32c, new Uint8Array(32).fill(0xff), '62a8ab43'],
  [crc32c, Uint8Array.from({ length: 32 }, (_, i) => i), '46dd794e'],
  [crc32c, Uint8Array.from({ length: 32 }, (_, i) => 31 - i), '113fdb5c'],
  [crc32c, new Uint8Array(0), '00000000'],
])('known values', (crc, bytes, hex) => expect(crcHex(crc.update(bytes))).toBe(hex))

it.each([crc32, crc32c])('combineCrc() of two parts is the CRC of both, wherever they are cut', (crc) => {
  const bytes = randomBytes(5000)
  const whole = crc.update(bytes)
  for (const cut of [0, 1, 7, 8, 9, 63, 2048, 4999, 5000]) {
    const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut)]
    expect(crc.update(second, crc.update(first))).toBe(whole)
    expect(combineCrc(crc, crc.update(first), crc.update(second), second.length)).toBe(whole)
  }
})

it('combineCrc() takes parts of more than 2^32 bytes', () => {
  // The CRC of zeros behind zeros depends on their number alone, so two ways to the same number agree.
  const zeros = new Uint8Array(2 ** 20)
  let [crc, bytes] = [crc32.update(zeros), zeros.length]
  for (let i = 0; i < 13; i++) [crc, bytes] = [combineCrc(crc32, crc, crc, bytes), bytes * 2]
  const half = { crc, bytes }
  const oneMore = combineCrc(crc32, half.crc, crc32.update(zeros), zeros.length)
  const oneBefore = combineCrc(crc32, crc32.update(zeros), half.crc, half.bytes)
  expect(bytes).toBe(2 ** 33)
  expect(oneMore).toBe(oneBefore)
})
