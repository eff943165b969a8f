/**
 * What is done with models beside serving them. Loaded when it is called: a server that starts should not have to read it.
 */
type Prepare = typeof import('./prepare.ts')
type Import = typeof import('./import-to-onnx.ts')
type Describe = typeof import('./describe-model.ts')

export const prepareModel: Prepare['prepareModel'] = async (...args) =>
  (await import('./prepare.ts')).prepareModel(...args)

export const prepareBeside: Prepare['prepareBeside'] = async (...args) =>
  (await import('./prepare.ts')).prepareBeside(...args)

export const importToOnnx: Import['importToOnnx'] = async (...args) =>
  (await import('./import-to-onnx.ts')).importToOnnx(...args)

export const describeModel: Describe['describeModel'] = async (...args) =>
  (await import('./describe-model.ts')).describeModel(...args)
