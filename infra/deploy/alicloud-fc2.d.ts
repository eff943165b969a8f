/** @alicloud/fc2 has no types of its own; these are of what is used. */
declare module '@alicloud/fc2' {
  type Json = Readonly<Record<string, unknown>>
  interface Answer {
    readonly headers: Readonly<Record<string, string | undefined>>
    readonly data: { readonly urlInternet?: string }
  }
  export default class Client {
    constructor(accountId: string, config: Json)
    createService(service: string, options: Json): Promise<Answer>
    updateService(service: string, options: Json): Promise<Answer>
    createFunction(service: string, options: Json): Promise<Answer>
    updateFunction(service: string, name: string, options: Json): Promise<Answer>
    createTrigger(service: string, name: string, options: Json): Promise<Answer>
    updateTrigger(service: string, name: string, trigger: string, options: Json): Promise<Answer>
    invokeFunction(service: string, name: string, event: Buffer, headers: Json): Promise<Answer>
    put(path: string, body: Json): Promise<Answer>
  }
}
