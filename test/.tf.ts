import { tensorflowModelsAgainst } from './bench/tensorflow-models.ts'
await tensorflowModelsAgainst('/tmp/pyenv-tf/bin/python', { figure: (f: unknown) => console.log(JSON.stringify(f)), missing: (a: string, b: string) => console.log(a, b) })
