/** Between the features of an item in `generate_features` and `raw_features`. */
const separator = ' | '

/** `name:value | name:value` by name. The value of a name that stands twice is the last. */
export function parseFeatureText(text: string): ReadonlyMap<string, string> {
  const features = new Map<string, string>()
  for (const part of text.split(separator)) {
    const colon = part.indexOf(':')
    if (colon > 0) features.set(part.slice(0, colon).trim(), part.slice(colon + 1).trim())
  }
  return features
}
