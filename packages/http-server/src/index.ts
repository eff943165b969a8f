export { createHttpServer, type HttpServer, type HttpServerOptions } from './server.ts'
