import { Buffer } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { importTorchScript } from '@eas/import-torchscript'
import { ImportRefusal, sourceOf } from '@eas/onnx'
import { describe, expect, it } from 'vitest'
import { archiveOf, archiveOfCode, emptyModule, noConstants } from './torchscript-archive.ts'

/**
 * Archives made to harm: whatever they hold, lowering them gives a model or an `ImportRefusal` of one line, after a bounded
 * amount of work. The bounds are in packages/import-torchscript/src/limits.ts; a test that takes long shows that one is not
 * kept. With EAS_FULL=1 more of them are damaged.
 */
const full = process.env.EAS_FULL === '1'
const examples = new URL('../../packages/cli/examples/digits/', import.meta.url)
const spec = { input: 0, dtype: 'float32', shape: ['batch', 64], example: [2, 64] } as const

/** The reasons for refusing; undefined when the model was lowered. Any other error fails the test. */
async function refusalOf(bytes: Uint8Array): Promise<string | undefined> {
  try {
    await importTorchScript(sourceOf(bytes), { location: 'model.pt', inputs: [spec] })
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(ImportRefusal)
    const { message } = error as ImportRefusal // just seen to be one
    expect(message).not.toContain('\n')
    return message
  }
}

it('archiveOfCode() makes an archive that is lowered', async () => {
  expect(await refusalOf(archiveOfCode(['return torch.relu(x)']))).toBeUndefined()
})

describe.each(['digits.trace.pt', 'digits.script.pt'])('%s', async (name) => {
  const whole = new Uint8Array(await readFile(new URL(name, examples)))

  it('is refused wherever it is cut off', async () => {
    for (let end = 0; end < whole.length; end += full ? 97 : 1024)
      expect(await refusalOf(whole.subarray(0, end)), `cut at ${end}`).toBeDefined()
  })

  it('is refused or lowered whatever bits are wrong', async () => {
    const random = generator(full ? Date.now() % 2 ** 32 : 7)
    let refused = 0
    for (let i = 0; i < (full ? 5000 : 150); i++) {
      const bytes = Uint8Array.from(whole)
      const flips = 1 + random(4)
      // Half of them in the last tenth, where pickles, code and directory are.
      const from = random(2) === 0 ? Math.floor(bytes.length * 0.9) : 0
      for (let k = 0; k < flips; k++) {
        const at = from + random(bytes.length - from)
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8))
      }
      if (await refusalOf(bytes)) refused++
    }
    expect(refused).toBeGreaterThan(10)
  })
})

describe('sources', () => {
  const repeated = (count: number, line: (i: number) => string): string[] =>
    Array.from({ length: count }, (_, i) => line(i))

  const sources: readonly (readonly [what: string, body: readonly string[], functions?: readonly string[]])[] = [
    ['a loop without an end', ['while True:', '  pass', 'return x']],
    [
      'loops within loops',
      ['for a in range(9000):', '  for b in range(9000):', '    for c in range(9000):', '      pass', 'return x'],
    ],
    [
      'a loop of more iterations than there are numbers',
      ['for a in range(9223372036854775807):', '  pass', 'return x'],
    ],
    ['a range that is a list of 2^62 numbers', ['l = range(0, 4611686018427387904, 1)', 'return x']],
    [
      'a function that calls itself',
      ['return __torch__.f(x, )'],
      ['def f(x: Tensor) -> Tensor:', '  return __torch__.f(x, )'],
    ],
    [
      'functions that call each other twice',
      ['return __torch__.f0(x, )'],
      repeated(
        40,
        (i) =>
          `def f${i}(x: Tensor) -> Tensor:\n  return torch.add(__torch__.f${i + 1}(x, ), __torch__.f${i + 1}(x, ))`,
      ),
    ],
    ['a list that doubles', ['l = [1, 1]', ...repeated(60, () => 'l = torch.add(l, l)'), 'return x']],
    ['a list that doubles in place', ['l = [1, 1]', ...repeated(60, () => '_0 = torch.extend(l, l)'), 'return x']],
    ['a list times 2^40', ['l = torch.mul([1, 1], 1099511627776)', 'return x']],
    [
      'a list within itself',
      ['l = annotate(List[Any], [])', '_0 = torch.append(l, l)', 'raised = torch.format("{}", l)', 'return l'],
    ],
    [
      'lists that hold the one before twice',
      ['l = [x]', ...repeated(60, () => 'l = [l, l]'), 's = torch.format("{}", l)', 'return l'],
    ],
    [
      'such lists compared',
      [
        'l = [1]',
        'm = [1]',
        ...repeated(60, () => 'l = [l, l]'),
        ...repeated(60, () => 'm = [m, m]'),
        'if torch.eq(l, m):',
        '  y = x',
        'else:',
        '  y = torch.neg(x)',
        'return y',
      ],
    ],
    ['a string that doubles', ['s = "ab"', ...repeated(60, () => 's = torch.add(s, s)'), 'return x']],
    [
      'a string whose letters become strings',
      ['s = "aa"', ...repeated(60, () => 's = torch.replace(s, "a", "aaaaaaaaaaaaaaaa")'), 'return x'],
    ],
    ['a string of itself', ['s = "{}{}"', ...repeated(60, () => 's = torch.format(s, s, s)'), 'return x']],
    ['a power of a power', ['n = 9', ...repeated(60, () => 'n = torch.pow(n, 63)'), 'return torch.add(x, n)']],
    [
      'a size that is a long polynomial',
      ['n = torch.add(torch.size(x, 0), 1)', ...repeated(40, () => 'n = torch.mul(n, n)'), 'return torch.add(x, n)'],
    ],
    [
      'a size that is a long quotient',
      [
        'n = torch.size(x, 0)',
        ...repeated(
          60,
          () => 'n = torch.add(torch.floordiv(torch.mul(n, 3), 7), torch.remainder(torch.mul(n, 5), 11))',
        ),
        'return torch.add(x, n)',
      ],
    ],
    ['a tensor of 2^80 numbers', ['return torch.add(torch.zeros([1099511627776, 1099511627776]), torch.sum(x))']],
    ['a range of 2^40 numbers as a constant', ['return torch.arange(0.5, 1099511627776.)']],
    ['an expression nested 100,000 deep', [`return ${'torch.neg('.repeat(100_000)}x${')'.repeat(100_000)}`]],
    ['brackets nested 100,000 deep', [`y = ${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'return x']],
    ['minus signs without an end', [`y = ${'-'.repeat(500_000)}1`, 'return x']],
    ['attributes of attributes', [`y = x${'.a'.repeat(200_000)}`, 'return x']],
    ['a bracket that is never closed', [`y = ${'('.repeat(300)}`, 'return x']],
    ['blocks nested 1,000 deep', repeated(1000, (i) => `${'  '.repeat(i)}if True:`)],
    ['an expression of a megabyte that has no meaning', [`y = [${'1,'.repeat(500_000)}]`, 'return y']],
    [
      'the same expression of a megabyte, again and again',
      ['for i in range(10000):', `  y = [${'i, '.repeat(200_000)}]`, 'return x'],
    ],
    [
      'a data-dependent loop in a loop in a loop',
      [
        'i = 0',
        'while bool(torch.gt(torch.sum(x), i)):',
        '  j = 0',
        '  while bool(torch.gt(torch.sum(x), j)):',
        '    k = 0',
        '    while bool(torch.gt(torch.sum(x), k)):',
        '      k = torch.add(torch.mul(k, 2), j)',
        '      x = torch.cat([x, x])',
        '    j = torch.add(j, k)',
        '  i = torch.add(torch.mul(i, 3), j)',
        'return x',
      ],
    ],
    ['braces without an end', [`y = torch.format("${'{'.repeat(500_000)}", 1)`, 'return x']],
    ['a name that is no function', ['return __import__("os").system("true")']],
    ['a module of Python', ['return os.system("true")']],
    ['a prototype', ['return (self).constructor']],
    ['a method of every object', ['return torch.toString(x)']],
    ['an attribute that is a prototype', ['y = getattr(self, "__proto__")', 'return y']],
  ]
  for (const [what, body, functions] of sources)
    it(what, async () => {
      await refusalOf(archiveOfCode(body, functions))
    })
})

describe('pickles', () => {
  const pickled = (bytes: string) =>
    archiveOf({
      'data.pkl': Buffer.from(bytes, 'latin1'),
      'code/__torch__.py': 'class M(Module):\n  pass\n',
      'constants.pkl': noConstants,
      version: '3',
    })

  it.each([
    ['os.system', '\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.', 'os.system'],
    ['builtins.eval', '\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.', 'builtins.eval'],
    ['a class of torch', '\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81}b.', 'torch.nn.modules.linear.Linear'],
    ['what every object has', '\x80\x02cconstructor\nconstructor\n)R.', 'constructor.constructor'],
    ['a global of one word', '\x80\x02c\ntoString\n)R.', 'toString'],
    ['an instance of another module', '\x80\x02(cos\nsystem\no.', 'os.system'],
    ['an opcode that runs code', '\x80\x02(X\x01\x00\x00\x001ios\nsystem\n.', 'not one torch writes'],
    ['a string longer than the file', '\x80\x02X\xff\xff\xff\x7fabc.', 'cut off'],
    ['a memo that is empty', '\x80\x02h\x07.', 'memo 7 is empty'],
    ['marks without an end', `\x80\x02${'('.repeat(100_000)}`, 'cut off'],
    ['a tuple nested 100,000 deep', `\x80\x02)${'\x85'.repeat(100_000)}.`, 'no module'],
    ['a number', '\x80\x02K\x01.', 'no module'],
    ['nothing', '', 'cut off'],
  ])('%s', async (_, bytes, text) => {
    expect(await refusalOf(pickled(bytes))).toContain(text)
  })

  it('objects nested 100,000 deep', async () => {
    // M().a = M(), and so on: each object is the state of the one around it.
    const open = 'c__torch__\nM\n)\x81}X\x01\x00\x00\x00a'
    const bytes = `\x80\x02${open.repeat(100_000)}K\x01${'sb'.repeat(100_000)}.`
    expect(await refusalOf(pickled(bytes))).toBeDefined()
  })

  it('a list that holds itself', async () => {
    const bytes = '\x80\x02c__torch__\nM\n)\x81}X\x01\x00\x00\x00a]q\x01h\x01asb.'
    expect(await refusalOf(pickled(bytes))).toBeDefined()
  })
})

describe('archives', () => {
  const module = { 'data.pkl': emptyModule, 'constants.pkl': noConstants, version: '3' }
  const code = 'class M(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    return x\n'

  it('a source that inflates to a gigabyte', async () => {
    const contents = Buffer.alloc(64 * 1024 * 1024, '#')
    const honest = archiveOf({ ...module, 'code/__torch__.py': { contents, deflated: true } })
    expect(honest.length).toBeLessThan(1024 * 1024)
    expect(await refusalOf(honest)).toContain('bytes')
    const lying = archiveOf({ ...module, 'code/__torch__.py': { contents, deflated: true, claimedSize: 100 } })
    expect(await refusalOf(lying)).toContain('does not inflate to 100 bytes')
  })

  it('a source that claims to be larger than it is', async () => {
    const claimed = archiveOf({
      ...module,
      'code/__torch__.py': { contents: code, deflated: true, claimedSize: 2 ** 32 - 2 },
    })
    expect(await refusalOf(claimed)).toContain('4294967294 bytes')
  })

  it('two files of one name', async () => {
    const bytes = archiveOf({ ...module, 'code/__torch__.py': code, 'code/__torch__.pz': code })
    const twice = Buffer.from(
      Buffer.from(bytes).toString('latin1').replaceAll('__torch__.pz', '__torch__.py'),
      'latin1',
    )
    expect(await refusalOf(new Uint8Array(twice))).toContain('twice')
  })

  it('files by the hundred thousand', async () => {
    const many = Object.fromEntries(Array.from({ length: 65_000 }, (_, i) => [`data/${i}`, '']))
    expect(await refusalOf(archiveOf({ ...module, 'code/__torch__.py': code, ...many }))).toBeUndefined()
  })

  it('a format of the future', async () => {
    expect(await refusalOf(archiveOf({ ...module, 'code/__torch__.py': code, version: '99' }))).toContain('99')
  })
})

/** Mulberry32: small, fast, and the same everywhere for a seed. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
