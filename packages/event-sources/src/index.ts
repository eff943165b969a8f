export { type InvocationCredentials, invocationCredentials } from './credentials.ts'
export { type Json, parsed } from './json.ts'
export { beginWithin, handleWithin, type PlatformLimits, platformLimits } from './limits.ts'
export { oneAtATime } from './one-at-a-time.ts'
export { aliyunWork } from './sources/aliyun.ts'
export { type AwsReply, type AwsWork, awsWork } from './sources/aws.ts'
export { googleWork, jobItems } from './sources/google.ts'
export { type Core, loadedWithin, type StartOptions, startCore } from './start.ts'
export { formEncoded, joinedQuery, legalPath, withQuery } from './target.ts'
export {
  failuresText,
  nameOf,
  type ObjectReference,
  type Outcome,
  type ScoreOptions,
  type Scorer,
  type WorkItem,
  type WorkOptions,
  type WorkResult,
  workOn,
} from './work.ts'
