/** A bracket, a colon or a comma, or a whole value; sticky, so that it matches where the last one ended. */
const token =
  /\s*(?:([[\]{},:])|("[^"\\\n]*(?:\\.[^"\\\n]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity))/y

type State = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'more'

/** Where a text stops being JSON. JavaScript engines say it in their own words, or not at all. */
export function jsonTroubleOffset(text: string): number {
  const open: string[] = []
  let state: State | undefined = 'value'
  let end = 0
  token.lastIndex = 0
  while (state) {
    end = token.lastIndex
    const [, mark, value] = token.exec(text) ?? []
    state = value === undefined ? afterMark(state, mark, open) : afterValue(state, value)
  }
  while (/\s/.test(text.charAt(end))) end++
  return end
}

function afterValue(state: State, value: string): State | undefined {
  if (state === 'value' || state === 'first value') return 'more'
  return (state === 'key' || state === 'first key') && value.startsWith('"') ? 'colon' : undefined
}

/** @param open The brackets that are to close, which this changes. */
function afterMark(state: State, mark: string | undefined, open: string[]): State | undefined {
  if (mark === '[' || mark === '{') {
    if (state !== 'value' && state !== 'first value') return undefined
    open.push(mark === '[' ? ']' : '}')
    return mark === '[' ? 'first value' : 'first key'
  }
  if (mark === ':') return state === 'colon' ? 'value' : undefined
  const innermost = open.at(-1)
  if (mark === undefined || innermost === undefined) return undefined
  if (mark === ',') return state !== 'more' ? undefined : innermost === ']' ? 'value' : 'key'
  const mayClose = state === 'more' || state === (mark === ']' ? 'first value' : 'first key')
  if (!mayClose || mark !== innermost) return undefined
  open.pop()
  return 'more'
}
