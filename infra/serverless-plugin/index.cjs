// Teaches the `serverless` command two more clouds, `fc` and `cloudrun`, whose plans infra/deploy makes; says what AWS does
// not keep of a service.json. CommonJS, as plugins are loaded; the rest is TypeScript, which tsx reads.
const { resolve } = require('node:path')
const { pathToFileURL } = require('node:url')

const load = async (module) => {
  const { tsImport } = await import('tsx/esm/api')
  return tsImport(`../deploy/${module}.ts`, pathToFileURL(__filename).href) // `../bundle` is beside that folder
}

/** The framework's own, and those that are taught here. */
const cloudNames = ['aws', 'fc', 'cloudrun']

/** A provider of the framework: its name, and the settings of serverless.yml, which are AWS's and mean nothing to it. */
const provider = (name) =>
  class {
    static getProviderName() {
      return name
    }
    constructor(serverless) {
      this.serverless = serverless
      serverless.setProvider(name, this)
      const text = { type: 'string' }
      serverless.configSchemaHandler.defineProvider(name, {
        provider: { properties: { region: text, runtime: text, architecture: text, iam: { type: 'object' } } },
        function: { properties: { handler: text } },
      })
    }
  }

module.exports = class EasPlugin {
  constructor(serverless, options, { log }) {
    const { configSchemaHandler, configurationInput = {}, serviceDir, pluginManager } = serverless
    configSchemaHandler.defineCustomProperties({ type: 'object', properties: { eas: { type: 'object' } } })
    for (const name of cloudNames.slice(1)) pluginManager.addPlugin(provider(name))
    const say = (line) => log.notice(line)
    const custom = () => serverless.service.custom?.eas ?? configurationInput.custom?.eas
    const cloudName = serverless.service.provider.name ?? configurationInput.provider?.name
    const folder = resolve(serviceDir ?? '.', options.package ?? '.serverless')
    if (cloudName !== undefined && !cloudNames.includes(cloudName)) {
      throw new serverless.classes.Error(`CLOUD must be one of ${cloudNames.join(', ')}, got ${cloudName}`)
    }

    this.commands = {
      deploy: { options: { dry: { usage: 'Say what would be done', type: 'boolean' } } },
      score: {
        usage: 'Hand the objects of a list to the batch function of Function Compute, a task each',
        lifecycleEvents: ['score'],
        options: {
          manifest: { usage: 'File with an object per line', type: 'string', required: true },
          run: { usage: 'A name that makes it another run over the same list', type: 'string', default: '' },
        },
      },
    }
    const build = async () => {
      const others = (await load('clouds')).clouds
      await others[cloudName]?.check(custom()) // on AWS, serverless.yml has asked for the plan by now
      const { bundleWithinLimits } = await load('../bundle')
      const isArm = cloudName === 'aws' && serverless.service.provider.architecture === 'arm64'
      return bundleWithinLimits(say, isArm ? 'arm64' : 'x64')
    }
    const hooks =
      cloudName === 'aws'
        ? this.aws(serverless, { options, custom, say })
        : this.other(cloudName, { options, custom, folder, say })
    this.hooks = Object.fromEntries(
      Object.entries({ 'before:package:initialize': build, ...hooks }).map(([event, hook]) => [
        event,
        async () => {
          try {
            await hook()
          } catch (error) {
            throw new serverless.classes.Error(error.message) // which the framework shows without a stack
          }
        },
      ]),
    )
  }

  /** The framework deploys to AWS itself; it has no dry run, so that one ends where it would ask for credentials. */
  aws(serverless, { options, custom, say }) {
    const sayNotes = async () => {
      const { deployOptions } = await load('options')
      const { readDeployment } = await load('deployment')
      const { awsPlan } = await load('aws')
      for (const note of awsPlan(await readDeployment(deployOptions(custom()))).notes) say(`not as configured: ${note}`)
    }
    const onlySay = () => {
      if (!options.dry) return
      const { hooks } = serverless.pluginManager
      for (const [event, all] of Object.entries(hooks)) {
        const ends = /^(?:after:)?deploy:(?:deploy|finalize)$|^finalize$/.test(event)
        if (ends) hooks[event] = all.filter(({ pluginName }) => !pluginName.startsWith('Aws'))
      }
      hooks['deploy:deploy'] = [{ pluginName: 'EasPlugin', hook: sayResources }]
    }
    const sayResources = () => {
      const { Resources } = serverless.service.provider.compiledCloudFormationTemplate
      for (const [name, { Type }] of Object.entries(Resources)) say(`would create or update ${Type} ${name}`)
    }
    const noList = () => {
      throw new Error('Cannot score: on AWS a Distributed Map does; see docs/deploy.md')
    }
    return { initialize: onlySay, 'before:package:cleanup': sayNotes, 'score:score': noList }
  }

  other(cloudName, { options, custom, folder, say }) {
    const cloud = async () => (await load('clouds')).clouds[cloudName]
    return {
      'score:score': async () => {
        const { score } = await cloud()
        if (!score) throw new Error('Cannot score: Function Compute alone takes a list; see docs/deploy.md')
        await score(custom(), { manifest: options.manifest, run: options.run ?? '', env: process.env, say })
      },
      'package:finalize': async () => (await cloud()).package(custom(), folder, say),
      'deploy:deploy': async () =>
        (await cloud()).deploy(custom(), folder, { dry: options.dry === true, env: process.env, say }),
    }
  }
}
