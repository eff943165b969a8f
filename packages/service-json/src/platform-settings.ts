import type { Findings } from './config-error.ts'
import type { ServiceConfig } from './service-config.ts'
import type { ServiceKeys } from './service-keys.ts'

export function readAutoscaler(keys: ServiceKeys, findings: Findings): ServiceConfig['autoscaler'] {
  if (!keys.has('autoscaler')) return undefined
  const min = keys.get('autoscaler.min')
  const max = keys.get('autoscaler.max')
  if (min !== undefined && max !== undefined && min > max) {
    findings.bad('autoscaler.min', `${min} is not allowed, must be at most max, ${max}`, keys.at('autoscaler.min'))
  }
  return { min, max, strategies: toRecord(keys.entries('autoscaler.strategies.*')) }
}

export function readCloud(keys: ServiceKeys): ServiceConfig['cloud'] {
  return {
    computing: {
      instance_type: keys.get('cloud.computing.instance_type'),
      instances: Array.from({ length: keys.count('cloud.computing.instances') }, (_, i) => ({
        type: keys.get('cloud.computing.instances[].type', i) ?? '', // reported when missing
        capacity: keys.get('cloud.computing.instances[].capacity', i),
        spot_price_limit: keys.get('cloud.computing.instances[].spot_price_limit', i),
      })),
    },
    networking: {
      vpc_id: keys.get('cloud.networking.vpc_id'),
      vswitch_id: keys.get('cloud.networking.vswitch_id'),
      security_group_id: keys.get('cloud.networking.security_group_id'),
    },
  }
}

export function readNetworking(keys: ServiceKeys): ServiceConfig['networking'] {
  return {
    gateway_policy: {
      rate_limit: {
        enable: keys.get('networking.gateway_policy.rate_limit.enable'),
        limit: keys.get('networking.gateway_policy.rate_limit.limit'),
      },
      concurrency_limit: {
        enable: keys.get('networking.gateway_policy.concurrency_limit.enable'),
        limit: keys.get('networking.gateway_policy.concurrency_limit.limit'),
      },
    },
  }
}

/** Entries as an object without prototype. */
export function toRecord<V>(entries: readonly (readonly [string, V])[]): Readonly<Record<string, V>> {
  const record: Record<string, V> = Object.create(null)
  for (const [name, value] of entries) record[name] = value
  return record
}
