// Stands for Lambda's runtime: loads a handler, then answers one event after the other. Plain JavaScript, so that nothing
// but Node stands between the test and the bundle.
const { handler } = await import(process.argv[2])

process.on('message', async (event) => {
  const deadline = Date.now() + 30_000
  const context = { awsRequestId: 'test', getRemainingTimeInMillis: () => deadline - Date.now() }
  try {
    process.send({ result: JSON.stringify(await handler(JSON.parse(event), context)) })
  } catch (error) {
    process.send({ error: String(error) })
  }
})
process.send({})
