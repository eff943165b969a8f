import { refuse } from '@eas/onnx'
import { display } from './builtins.ts'
import { limits } from './limits.ts'
import { toNumber } from './scalars.ts'
import { type Py, PyList, PyTuple } from './values.ts'
import { Raised, type Vm } from './vm.ts'

/** Operators of texts: of what is known while the model is lowered. Torch: torch/csrc/jit/runtime/register_string_ops.cpp (2.4). */

type StringOp = (vm: Vm, args: readonly Py[], keywords: ReadonlyMap<string, Py>) => Py | undefined

const onString =
  (f: (s: string, ...args: string[]) => Py): StringOp =>
  (_, [s, ...args]) =>
    typeof s === 'string' ? f(s, ...args.map(String)) : undefined

/** Of a text, another, and the part of the text that is looked at; an end of -1 is that of the text. */
const within =
  (f: (part: string, other: string, start: number) => Py): StringOp =>
  (vm, [s, other = '', first = 0n, last = -1n]) => {
    if (typeof s !== 'string' || typeof other !== 'string') return undefined
    const [start, end] = [toNumber(vm, first), toNumber(vm, last)]
    const from = start < 0 ? Math.max(0, s.length + start) : start
    const to = end < 0 ? Math.max(0, s.length + end + 1) : Math.min(end, s.length)
    return f(s.slice(from, Math.max(from, to)), other, from)
  }

const found = (at: number, start: number): bigint => BigInt(at < 0 ? -1 : at + start)
const foundOrRaised = (at: number, start: number): bigint => {
  if (at < 0) throw new Raised('ValueError: substring not found')
  return BigInt(at + start)
}

const strings = (items: readonly string[]): PyList => new PyList([...items])

/** Parts between separators, the rest whole after so many. */
function parts(s: string, by: string | undefined, most: number): string[] {
  const all = by === undefined ? s.split(/\s+/).filter(Boolean) : s.split(by)
  if (most < 0 || by === undefined || all.length <= most + 1) return all
  return [...all.slice(0, most), all.slice(most).join(by)]
}

/** The same, counted from the end. */
function partsFromEnd(s: string, by: string | undefined, most: number): string[] {
  const all = by === undefined ? s.split(/\s+/).filter(Boolean) : s.split(by)
  const rest = all.length - most
  if (most < 0 || by === undefined || rest <= 1) return all
  return [all.slice(0, rest).join(by), ...all.slice(rest)]
}

const splitBy =
  (how: typeof parts): StringOp =>
  (vm, [s, by, most = -1n]) =>
    typeof s === 'string' ? strings(how(s, typeof by === 'string' ? by : undefined, toNumber(vm, most))) : undefined

/** What is before a separator, it, and what is after it. */
const partition =
  (last: boolean): StringOp =>
  (_, [s, by]) => {
    if (typeof s !== 'string' || typeof by !== 'string') return undefined
    const at = last ? s.lastIndexOf(by) : s.indexOf(by)
    if (at < 0) return new PyTuple(last ? ['', '', s] : [s, '', ''])
    return new PyTuple([s.slice(0, at), by, s.slice(at + by.length)])
  }

/** Filled up to a width, by so much of what is missing in front. */
const padded =
  (front: (missing: number) => number): StringOp =>
  (vm, [s, width = 0n, fill = ' ']) => {
    if (typeof s !== 'string' || typeof fill !== 'string') return undefined
    const missing = Math.max(0, toNumber(vm, width) - s.length)
    if (missing > limits.stringChars) throw refuse('a string too long')
    const before = front(missing)
    return fill.repeat(before) + s + fill.repeat(missing - before)
  }

/** How often `other` stands in a text, one behind the other. */
const occurrences = (s: string, other: string): number => (other === '' ? s.length + 1 : s.split(other).length - 1)

export const stringOps: Readonly<Record<string, StringOp>> = {
  find: within((part, other, start) => found(part.indexOf(other), start)),
  rfind: within((part, other, start) => found(part.lastIndexOf(other), start)),
  rindex: within((part, other, start) => foundOrRaised(part.lastIndexOf(other), start)),
  count: within((part, other) => BigInt(occurrences(part, other))),
  startswith: within((part, prefix) => part.startsWith(prefix)),
  endswith: within((part, suffix) => part.endsWith(suffix)),
  lower: onString((s) => s.toLowerCase()),
  upper: onString((s) => s.toUpperCase()),
  swapcase: onString((s) => [...s].map((c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())).join('')),
  strip: onString((s, chars = ' \t\n\r\f\v') => trim(s, chars, true, true)),
  lstrip: onString((s, chars = ' \t\n\r\f\v') => trim(s, chars, true, false)),
  rstrip: onString((s, chars = ' \t\n\r\f\v') => trim(s, chars, false, true)),
  replace: onString((s, from = '', to = '', most = '-1') => {
    const between = parts(s, from, Number(most))
    if (s.length + between.length * to.length > limits.stringChars) throw refuse('a string too long')
    return between.join(to)
  }),
  split: splitBy(parts),
  rsplit: splitBy(partsFromEnd),
  partition: partition(false),
  rpartition: partition(true),
  join: (_, [s, items]) => (typeof s === 'string' && items instanceof PyList ? joined(items.items, s) : undefined),
  zfill: (vm, [s, width = 0n]) => {
    if (typeof s !== 'string') return undefined
    const sign = /^[+-]/.test(s) ? s.slice(0, 1) : ''
    const rest = s.slice(sign.length)
    return sign + rest.padStart(Math.min(limits.stringChars, toNumber(vm, width)) - sign.length, '0')
  },
  ljust: padded(() => 0),
  rjust: padded((missing) => missing),
  center: padded((missing) => Math.floor(missing / 2)),
  isalpha: onString((s) => /^\p{L}+$/u.test(s)),
  isalnum: onString((s) => /^[\p{L}\p{N}]+$/u.test(s)),
  isspace: onString((s) => /^\s+$/.test(s)),
  isupper: onString((s) => s !== s.toLowerCase() && s === s.toUpperCase()),
  islower: onString((s) => s !== s.toUpperCase() && s === s.toLowerCase()),
  isdigit: onString((s) => /^\d+$/.test(s)),
  isdecimal: onString((s) => /^\d+$/.test(s)),
  isnumeric: onString((s) => /^\d+$/.test(s)),
  isidentifier: onString((s) => /^[A-Za-z_]\w*$/.test(s)),
  capitalize: onString((s) => s.slice(0, 1).toUpperCase() + s.slice(1).toLowerCase()),
  title: onString((s) => s.toLowerCase().replace(/\p{L}+/gu, (word) => word.slice(0, 1).toUpperCase() + word.slice(1))),
  splitlines: onString((s) => strings(s.replace(/\n$/, '').split('\n'))),
  ord: onString((s) => BigInt(s.codePointAt(0) ?? 0)),
  chr: (vm, [i]) => String.fromCodePoint(toNumber(vm, i)),
}

function joined(items: readonly Py[], by: string): string {
  const texts = items.map((item) => (typeof item === 'string' ? item : display(item)))
  const length = texts.reduce((n, text) => n + text.length + by.length, 0)
  if (length > limits.stringChars + by.length) throw refuse(`a string of over ${limits.stringChars} characters`)
  return texts.join(by)
}

function trim(s: string, chars: string, start: boolean, end: boolean): string {
  let from = 0
  let to = s.length
  while (start && from < to && chars.includes(s[from] ?? '')) from++
  while (end && to > from && chars.includes(s[to - 1] ?? '')) to--
  return s.slice(from, to)
}
