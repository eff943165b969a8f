import { EasError } from '@eas/base'
import { compileFg, type FeatureGenerator, FgConfigError } from '@eas/fg'

/** @throws {EasError} `not_ready` with everything that is wrong with the document. */
export async function compile(...[document, options]: Parameters<typeof compileFg>): Promise<FeatureGenerator> {
  try {
    return await compileFg(document, options)
  } catch (thrown) {
    if (!(thrown instanceof FgConfigError)) throw thrown
    throw new EasError('not_ready', `Cannot load the model: ${thrown.message}`, { cause: thrown })
  }
}
