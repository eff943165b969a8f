import type { CheckedKeys } from './check-keys.ts'
import { type KeyTable, notedRow, row } from './key-row.ts'
import {
  absolutePath,
  anything,
  commaList,
  countOrPercent,
  flag,
  flagOrCount,
  integer,
  list,
  number,
  object,
  oneOf,
  serviceName,
  text,
  textOrEmpty,
  texts,
  variableName,
} from './value-types.ts'

const use = row('use')
const map = row('map')
const ignore = row('ignore')
const warn = notedRow('warn')
/** A key of a section that is warned about as a whole. */
const inside = row('warn')
const refuse = notedRow('refuse')

const placement = 'the function platform places and schedules instances'
const gateway = "requests come through the platform's own front, not an EAS gateway"
const image = 'the function brings its own image'
const customProcessor = 'custom processors (cpp, java, python) cannot run here'
const customImage = 'custom images are not run; a built-in processor is needed'
const lifecycle = 'the function platform restarts, checks and updates instances'

/** Milliseconds of a day: longer than any platform lets a request live. */
const dayMs = 86_400_000

/**
 * Every key outside `model_config`: type, default, meaning, and what becomes of it. `a.b` is key `b` of object `a`,
 * `a[].b` of each object of list `a`, and `a.*` any key of `a`. A key that is only a way to others has no row unless it
 * is warned about as a whole.
 *
 * @see Alibaba Cloud help, "Parameters of model services"; keys that stand only in published samples or SDKs are here too.
 */
export const serviceKeys = {
  name: use(serviceName, 'Service name; requests go to `/api/predict/<name>`. Either here or in `metadata`.'),
  token: use(text, 'Token that requests carry.', { secret: true }),
  generate_token: use(flag, 'Legacy; `"false"` means a service without a token.'),
  processor: use(text, 'Code of a built-in processor.'),
  model_path: use(text, 'Model file, directory or archive, as `oss://`, `https://` or a local path.'),
  oss_endpoint: use(text, 'OSS endpoint to read `model_path` from, for another region.'),
  model_entry: use(text, 'Main file or directory below `model_path`, as `./1/`.'),
  model_config: use(anything, "The processor's own configuration; objects have rows below for the EasyRec families."),
  'processor_envs[].name': use(variableName, 'Environment variable of the processor.', { required: true }),
  'processor_envs[].value': use(textOrEmpty, 'Its value.', { secret: true }),
  warm_up_data_path: use(
    commaList,
    'Recorded requests replayed before the service is ready: a file, a directory, or several.',
  ),

  processor_type: refuse(text, 'Language of a custom processor.', customProcessor),
  processor_path: refuse(text, 'Package of a custom processor.', customProcessor),
  processor_entry: refuse(text, 'Main file of a custom processor.', customProcessor),
  processor_mainclass: refuse(text, 'Main class of a Java processor.', customProcessor),

  'metadata.name': use(serviceName, 'As `name`; newer files have it here.'),
  'metadata.instance': map(integer({ min: 0, max: 100_000 }), 'Instances to keep.', { default: 1 }),
  'metadata.cpu': map(number({ min: 0.01, max: 1024 }), 'Cores of an instance; also sizes the thread pool.'),
  'metadata.memory': map(integer({ min: 1, max: 16_777_216 }), 'Memory of an instance in MB.'),
  'metadata.gpu': map(integer({ min: 0, max: 64 }), 'GPUs of an instance.', { default: 0 }),
  'metadata.gpu_memory': map(integer({ min: 0, max: 1024 }), 'Share of a GPU in GB; only where `gpu` is 0.'),
  'metadata.gpu_core_percentage': map(
    integer({ min: 0, max: 100 }),
    'Share of a GPU in percent; only where `gpu` is 0.',
  ),
  'metadata.group': use(serviceName, 'Service group; requests may also go to `/api/predict/<group>`.'),
  'metadata.eas.termination_grace_period': use(
    integer({ min: 0, max: 86_400 }),
    'Seconds to finish requests after SIGTERM.',
    {
      default: 30,
    },
  ),
  'metadata.rolling_strategy.max_surge': map(countOrPercent, 'Extra instances during an update.'),
  'metadata.rolling_strategy.max_unavailable': warn(
    countOrPercent,
    'Instances that may be missing during an update.',
    lifecycle,
  ),
  'metadata.qos': warn(text, 'CPU sharing, as `BestEffort`.', placement),
  'metadata.resource': warn(text, 'Dedicated resource group.', placement),
  'metadata.workspace_id': warn(text, 'PAI workspace.', placement),
  'metadata.region': warn(text, 'Region.', placement),
  'metadata.type': warn(text, 'Kind of service, as `Async`.', 'only synchronous services are served'),
  'metadata.disk': warn(text, 'System disk, as `60Gi`.', placement),
  'metadata.shm_size': warn(text, 'Shared memory in GB, or as `64Gi`.', placement),
  'metadata.cuda': warn(text, 'CUDA version mounted at `/usr/local/cuda`.', image),
  'metadata.rdma': warn(flagOrCount, 'RDMA between instances: whether, or over how many cards.', placement, {
    default: false,
  }),
  'metadata.enable_grpc': warn(flag, 'gRPC through the gateway.', gateway, { default: false }),
  'metadata.enable_webservice': warn(flag, 'Web application.', gateway, { default: false }),
  'metadata.workload_type': refuse(text, '`elasticjob` is a batch job.', 'services are served, not batch jobs'),
  'metadata.resource_burstable': warn(flag, 'Use of public resources when a group is full.', placement, {
    default: false,
  }),
  'metadata.resource_rebalancing': warn(flag, 'Move of instances to dedicated resources.', placement, {
    default: false,
  }),
  'metadata.scheduling.spread.policy': warn(
    oneOf(['host', 'zone', 'default']),
    'Spread of instances over hosts or zones.',
    placement,
    { default: 'default' },
  ),
  'metadata.eas.enabled_model_verification': ignore(flag, 'Legacy check of the model at creation.'),

  'metadata.rpc.batching': use(flag, 'Joins waiting requests along dimension 0.', { default: false }),
  'metadata.rpc.max_batch_size': use(integer({ min: 1, max: 65_536 }), 'Requests in one batch.', { default: 16 }),
  'metadata.rpc.max_batch_timeout': use(integer({ min: 0, max: 60_000 }), 'Milliseconds to wait for a full batch.', {
    default: 50,
  }),
  'metadata.rpc.keepalive': use(
    integer({ min: 1, max: dayMs }),
    'Milliseconds a request may take: receive, queue and compute; then 408. No value means "no limit".',
    { default: 5000 },
  ),
  'metadata.rpc.worker_threads': use(integer({ min: 1, max: 1024 }), 'Requests computed at once in an instance.', {
    default: 5,
  }),
  'metadata.rpc.max_queue_size': use(integer({ min: 1, max: 1_000_000 }), 'Requests that may wait; then 450.', {
    default: 64,
  }),
  'metadata.rpc.rate_limit': use(
    integer({ min: 0, max: 10_000_000 }),
    'Requests per second of an instance; then 429. 0: no limit.',
    {
      default: 0,
    },
  ),
  'metadata.rpc.decompressor': use(oneOf(['zlib', 'gzip', 'snappy', 'zstd', 'lz4']), 'Compression of request bodies.'),
  'metadata.rpc.enable_sigterm': use(flag, 'Whether the process receives SIGTERM when its instance ends.', {
    default: false,
  }),
  'metadata.rpc.io_threads': warn(
    integer({ min: 1, max: 1024 }),
    'Network threads.',
    'one event loop does the network work',
    {
      default: 4,
    },
  ),
  'metadata.rpc.enable_jemalloc': ignore(flag, 'Memory allocator.'),
  'metadata.rpc.proxy_path': warn(
    text,
    'Path for asynchronous container services.',
    'only synchronous services are served',
  ),

  'autoscaler.min': map(integer({ min: 0, max: 100_000 }), 'Fewest instances.'),
  'autoscaler.max': map(integer({ min: 1, max: 100_000 }), 'Most instances.'),
  'autoscaler.strategies.*': map(
    number({ min: 0 }),
    'Target per instance by metric: `qps`, `cpu`, `gpu`, `queue[backlog]`, `qps1k`.',
  ),

  'storage[].mount_path': use(absolutePath, 'Where it is mounted.', { required: true }),
  'storage[].properties.resource_type': use(oneOf(['model', 'code']), 'What it holds.'),
  'storage[].oss.path': use(text, '`oss://bucket/path/`.', { required: true }),
  'storage[].oss.endpoint': use(text, 'OSS endpoint.'),
  'storage[].oss.readOnly': use(flag, 'Whether writes are refused.'),
  'storage[].nfs.path': use(text, 'Path on the server.', { required: true }),
  'storage[].nfs.server': use(text, 'Server.', { required: true }),
  'storage[].nfs.readOnly': use(flag, 'Whether writes are refused.'),
  'storage[].git.repo': use(text, 'Repository.', { required: true }),
  'storage[].git.username': use(text, 'User.'),
  'storage[].git.password': use(text, 'Password or access token.', { secret: true }),
  'storage[].git.branch': use(text, 'Branch.', { default: 'master' }),
  'storage[].git.commit': use(text, 'Commit; the newest of the branch when absent.'),
  'storage[].dataset.id': use(text, 'PAI dataset.', { required: true }),
  'storage[].dataset.version': use(text, 'Its version.'),
  'storage[].dataset.read_only': use(flag, 'Whether writes are refused.'),
  'storage[].image': use(text, 'Image whose files are copied to a shared volume.'),
  'storage[].empty_dir': use(object, 'An empty directory of the instance.'),
  'storage[].empty_dir.medium': use(oneOf(['memory']), '`memory`: held in memory, as `/dev/shm`.'),
  'storage[].empty_dir.size_limit': use(number({ min: 0 }), 'GB it may hold.'),

  'plugins[].command': use(text, 'Blade: `blade --mode eas_plugin --optimize_for cpu` or `gpu`.', { required: true }),
  'plugins[].image': use(text, 'Blade: image of the optimizer.', { required: true }),
  'plugins[].resource': use(text, 'Blade: resource group the optimizer runs in, as `T4_8CORE`.'),
  'plugins[].gpu': use(integer({ min: 0, max: 64 }), 'Blade: GPUs for the optimizer.'),
  'plugins[].config.model_info': use(anything, 'Blade: optimization items by model file; rows below.'),

  'cloud.computing.instance_type': map(text, 'Machine type; older form of `instances`.'),
  'cloud.computing.instances[].type': map(text, 'Machine type, in order of preference.', { required: true }),
  'cloud.computing.instances[].capacity': map(countOrPercent, 'Instances of this type, or their share.'),
  'cloud.computing.instances[].spot_price_limit': map(number({ min: 0 }), 'Highest price of a spot instance in USD.'),
  'cloud.computing.disable_spot_protection_period': warn(
    flag,
    'Spot instances without the protected hour.',
    placement,
    {
      default: false,
    },
  ),
  'cloud.networking.vpc_id': map(text, 'VPC.'),
  'cloud.networking.vswitch_id': map(text, 'vSwitch.'),
  'cloud.networking.security_group_id': map(text, 'Security group.'),
  'cloud.logging': warn(anything, 'Log delivery.', 'logs go where the function platform collects them'),
  'cloud.monitoring': warn(anything, 'Metric delivery.', 'metrics are scraped from the service or read from its log'),
  'networking.gateway': warn(text, 'Dedicated gateway.', gateway),
  'networking.gateway_policy.rate_limit.enable': map(flag, 'Whether the service-wide rate is limited.', {
    default: false,
  }),
  'networking.gateway_policy.rate_limit.limit': map(integer({ min: 0 }), 'Requests per second over all instances.'),
  'networking.gateway_policy.concurrency_limit.enable': map(flag, 'Whether requests in flight are limited.', {
    default: false,
  }),
  'networking.gateway_policy.concurrency_limit.limit': map(
    integer({ min: 0 }),
    'Requests in flight over all instances.',
  ),
  role_arn: map(text, 'Role the service acts as.'),
  'labels.*': map(textOrEmpty, 'Tag of the service.'),
  'features.eas.aliyun.com/extra-ephemeral-storage': map(text, 'Extra temporary disk, as `100Gi`.'),
  'features.eas.aliyun.com/gpu-driver-version': warn(text, 'GPU driver.', image),
  'features.*': warn(
    textOrEmpty,
    'Any other feature switch.',
    'feature switches of EAS are unknown to function platforms',
  ),

  'runtime.enable_crash_block': warn(flag, 'A crashed instance is not restarted.', lifecycle, { default: false }),
  'unit.size': warn(integer({ min: 1 }), 'Machines of a distributed instance.', 'an instance is one machine'),
  sinker: warn(object, 'Sends every request and response to MaxCompute or SLS.', 'no request sink is connected'),
  'sinker.type': inside(oneOf(['maxcompute', 'sls']), 'Kind of sink.'),
  'sinker.config.maxcompute.project': inside(text, 'MaxCompute project.'),
  'sinker.config.maxcompute.table': inside(text, 'MaxCompute table.'),
  'sinker.config.sls.project': inside(text, 'SLS project.'),
  'sinker.config.sls.logstore': inside(text, 'SLS log store.'),
  confidential: warn(
    object,
    'Access to an encrypted model.',
    'models are not decrypted; an encrypted one will not load',
  ),
  'confidential.trustee_endpoint': inside(text, 'Key service.'),
  'confidential.decryption_key': inside(text, 'Key.', { secret: true }),
  aimaster: warn(anything, 'Health checks over several machines.', lifecycle),
  options: warn(object, 'Switches of the deployment.', "credentials come from the function's own role"),
  'options.enable_ram_role': inside(flag, 'Credentials from the RAM role.'),
  metrics: warn(anything, 'Metrics of a custom processor.', 'custom processors (cpp, java, python) cannot run here'),
  resource: warn(text, 'As `metadata.resource`.', placement),
  source_token: warn(text, 'Undocumented.', 'no published page says what it does', { secret: true }),
  dockerAuth: warn(text, 'User and password of the image registry, base64.', image, { secret: true }),

  containers: warn(list, 'Custom images.', customImage),
  'containers[].image': inside(text, 'Image.'),
  'containers[].env[].name': inside(variableName, 'Environment variable.'),
  'containers[].env[].value': inside(textOrEmpty, 'Its value.', { secret: true }),
  'containers[].command': inside(text, 'Command.'),
  'containers[].script': inside(text, 'Shell script; either this or `command`.'),
  'containers[].port': inside(integer({ min: 1, max: 65_535 }), 'Port it listens on; EAS keeps 8080 and 9090.'),
  'containers[].prepare.pythonRequirements': inside(texts, 'Python packages.'),
  'containers[].prepare.pythonRequirementsPath': inside(text, 'File that lists them.'),
  'containers[].startup_check': inside(anything, '`http_get`, `tcp_socket` or `exec`.'),
  'containers[].liveness_check': inside(anything, 'The same.'),
  'containers[].readiness_check': inside(anything, 'The same.'),
  'containers[].health_check': inside(anything, 'The same, as the PAI SDK writes it.'),
} satisfies KeyTable

/** The values of one file by the keys above. */
export type ServiceKeys = CheckedKeys<typeof serviceKeys>
