export { endProcess } from './end.ts'
export { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts'
