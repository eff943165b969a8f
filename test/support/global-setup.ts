import { bundle } from '../../infra/bundle.ts'

/** Tests of the running server use the bundle, as users do; it is made once per run. */
export default bundle
