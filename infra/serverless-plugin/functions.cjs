// The provider's name, `service`, `functions`, `iam` and `package` of serverless.yml, from the service.json that custom.eas names. Other clouds than AWS get their
// functions from the plan; the framework wants one to be there.
const { pathToFileURL } = require('node:url')

const load = async (module) => {
  const { tsImport } = await import('tsx/esm/api')
  return tsImport(`../deploy/${module}.ts`, pathToFileURL(__filename).href)
}

async function deployment(resolveVariable) {
  const { deployOptions } = await load('options')
  const { readDeployment } = await load('deployment')
  return readDeployment(deployOptions(await resolveVariable('self:custom.eas')))
}

/** The framework shows the stack of what is thrown here; the message says it all. */
const withoutStack = (work) => async (context) => {
  try {
    return await work(context)
  } catch (error) {
    error.stack = error.message
    throw error
  }
}

module.exports.cloud = process.env.CLOUD || 'aws'

/** Stacks and functions of several services must not share a name. */
module.exports.service = withoutStack(async ({ resolveVariable }) => {
  const { serviceName } = await load('aws')
  return serviceName(await deployment(resolveVariable))
})

/** What looks like a variable of the framework's in a text of the service.json is that text. */
const escaped = (value) => {
  if (typeof value === 'string') return value.replace(/(?<!\$)(\\*)\$\{/g, '$1$1\\${')
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, escaped(member)]))
}

module.exports.functions = withoutStack(async ({ resolveVariable }) => {
  if ((await resolveVariable('self:provider.name')) !== 'aws') return { predict: { handler: 'index.handler' } }
  const { awsPlan } = await load('aws')
  return escaped(awsPlan(await deployment(resolveVariable)).functions)
})

module.exports.iam = withoutStack(async ({ resolveVariable }) => {
  if ((await resolveVariable('self:provider.name')) !== 'aws') return {}
  const { awsPlan, roleName, serviceName } = await load('aws')
  const read = await deployment(resolveVariable)
  const [stage, region] = [await resolveVariable('sls:stage'), await resolveVariable('self:provider.region')]
  return { role: { name: roleName(serviceName(read), stage, region), statements: awsPlan(read).statements } }
})

module.exports.package = withoutStack(async ({ resolveVariable }) => {
  if ((await resolveVariable('self:provider.name')) !== 'aws') return { artifact: 'package.json' } // nothing is zipped
  const { awsPackage } = await load('aws')
  return awsPackage(await deployment(resolveVariable))
})
