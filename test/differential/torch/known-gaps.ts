/** By file of golden/ and name of the case: part of the reason that the importer gives, or of what differs. */
export const knownGaps: Readonly<Record<string, Readonly<Record<string, string>>>> = {}

const oldName = 'a name that older releases wrote, and the compiler of torch 2.13 does not know'
const otherDevice = 'needs a device that the machine that makes goldens has not'
const otherEngine = 'torch has it for its oneDNN engine only, whose archives are none of this format'

/** Operators that are lowered and that no case can reach, with why. */
export const opsWithoutCase: Readonly<Record<string, string>> = {
  _bmm: oldName,
  _cat: oldName,
  _s_where: oldName,
  __interpolate: oldName,
  special_round: oldName,
  slogdet: oldName,
  'quantized::fbgemm_linear': oldName,
  cuda: otherDevice,
  pin_memory: otherDevice,
  _scaled_dot_product_efficient_attention: otherDevice,
  'quantized::conv2d_add': otherEngine,
  'quantized::conv2d_add_relu': otherEngine,
  'quantized::linear_tanh': otherEngine,
  'quantized::linear_leaky_relu': otherEngine,
}
