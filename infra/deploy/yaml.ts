/** A value as YAML: blocks, and texts in the quotes of JSON, which is a part of YAML 1.2. */
function toYaml(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []\n'
    return `\n${value.map((item) => `${indent}-${nested(item, indent).replace(/^\n\s+/, ' ')}`).join('')}`
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined)
    if (entries.length === 0) return ' {}\n'
    return `\n${entries.map(([key, member]) => `${indent}${plain(key)}:${toYaml(member, `${indent}  `)}`).join('')}`
  }
  return ` ${typeof value === 'string' ? plain(value) : JSON.stringify(value)}\n`
}

const nested = (item: unknown, indent: string) => toYaml(item, `${indent}  `)

/** Without quotes where no reader could take it for anything but this text. */
const plain = (text: string) =>
  /^[A-Za-z/][\w./-]*$/.test(text) && !/^(?:true|false|yes|no|on|off|null|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text)

export const yamlFile = (value: unknown): string => toYaml(value).replace(/^\n/, '')
