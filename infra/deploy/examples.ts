import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { arnIn, awsPlan } from './aws.ts'
import { cloudRunPlan } from './cloud-run.ts'
import { type Deployment, readDeployment } from './deployment.ts'
import { fcPlan } from './fc.ts'
import type { DeployOptions } from './options.ts'
import { sYaml } from './s-yaml.ts'
import { yamlFile } from './yaml.ts'

const service = 'packages/cli/examples/digits/service.json'
const digest = `sha256:${'0'.repeat(64)}`
const byCloud = (image: string, bucket: string, scheme: string): DeployOptions => ({
  service,
  ...(image && { image: `${image}@${digest}` }),
  batch: { bucket, prefix: 'in/', output: `${scheme}://${bucket}-scores/` },
})
const aws = byCloud('', 'digits-requests', 's3')
const alibaba = byCloud('', 'digits-requests', 'oss')
const google = byCloud('us-central1-docker.pkg.dev/project/eas/digits', 'digits-requests', 'gs')

/** The same service with a GPU. */
const withGpu = (deployment: Deployment): Deployment => ({
  ...deployment,
  name: `${deployment.name}_gpu`,
  machine: { cpu: 4, memoryMb: 16_384, gpu: { count: 1, memoryGb: 24 } },
})

/** Files of `infra/` that are made from the example service, for those who start from a file of their cloud. */
export async function examples(): Promise<Readonly<Record<string, string>>> {
  const [onAws, onAlibaba, onGoogle] = await Promise.all([aws, alibaba, google].map(readDeployment))
  if (!onAws || !onAlibaba || !onGoogle) throw new Error('three were asked for')
  const run = cloudRunPlan(onGoogle).files
  const gpu = cloudRunPlan(withGpu(onGoogle)).files
  const Statement = awsPlan(onAws).statements.map((statement) => ({
    ...statement,
    Resource: statement.Resource.map((arn) => arnIn('aws', arn)),
  }))
  const policy = { Version: '2012-10-17', Statement }
  return {
    'infra/aws/iam/function-role.json': `${JSON.stringify(policy, null, 2)}\n`,
    'infra/alibaba/s.yaml': `${made('CLOUD=fc')}${yamlFile(sYaml(fcPlan(onAlibaba), alibaba, '../..'))}`,
    'infra/gcp/service.yaml': `${made('CLOUD=cloudrun')}${yamlFile(run['service.yaml'])}`,
    'infra/gcp/service.gpu.yaml': `${made('CLOUD=cloudrun')}${yamlFile(gpu['service.yaml'])}`,
    'infra/gcp/events.yaml': `${made('CLOUD=cloudrun')}${yamlFile(run['events.yaml'])}`,
    'infra/gcp/job.yaml': `${made('CLOUD=cloudrun')}${yamlFile(run['job.yaml'])}`,
  }
}

const made = (cloud: string) =>
  `# As \`${cloud} serverless package\` writes it for ${service}; made by \`npx tsx infra/deploy/examples.ts\`.\n`

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  // `npm run format` gives JSON the form that the rest of the repository has.
  for (const [path, text] of Object.entries(await examples())) {
    await writeFile(new URL(`../../${path}`, import.meta.url), text)
  }
}
