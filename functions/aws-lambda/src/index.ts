import { handleWithin, loadedWithin, oneAtATime, platformLimits } from '@eas/event-sources'
import { lambdaCore } from './core.ts'
import { fromEasResponse, type HttpEvent, isLoadBalancer, responseHeaders, toEasRequest } from './event.ts'
import { entry, streamedEntry } from './middleware.ts'

/** Of all kinds of instances, only managed ones are sent a request while they work on another. */
const isShared = process.env.AWS_LAMBDA_INITIALIZATION_TYPE === 'lambda-managed-instances'
const { processor, service } = await lambdaCore(isShared ? {} : { adapt: oneAtATime })

/** AWS Lambda behind a function URL, an HTTP or REST API, or a load balancer. */
export const handler = entry(processor, async (event: HttpEvent) => {
  const request = toEasRequest(event)
  await loadedWithin(processor, service.rpc.keepalive)
  const limits = isLoadBalancer(event) ? platformLimits.awsLoadBalancer : platformLimits.awsLambda
  return fromEasResponse(await handleWithin(processor, limits, request), event)
})

/** AWS Lambda behind a function URL whose `InvokeMode` is `RESPONSE_STREAM`: no base64, and answers up to 200 MB. */
export const streamHandler = streamedEntry(processor, async (event: HttpEvent) => {
  const request = toEasRequest(event)
  await loadedWithin(processor, service.rpc.keepalive)
  const response = await handleWithin(processor, platformLimits.awsLambdaStreamed, request)
  return { statusCode: response.status, headers: responseHeaders(response), body: response.body }
})
