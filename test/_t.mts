import { folderOf, importSavedModel } from '@eas/import-savedmodel'
import { joinChunks, readModel } from '@eas/onnx'
import ort from 'onnxruntime-node'
import { readFileSync } from 'node:fs'
const o = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 as const }
for (const n of ['mobilenet_v2','resnet50']) {
const m = await importSavedModel(folderOf(`.cache/bench-tensorflow/${n}`))
const a = await ort.InferenceSession.create(joinChunks(m.model), { ...o, externalData: m.externalData.map((path) => ({ path, data: readFileSync(`.cache/bench-tensorflow/${n}/` + path) })) })
const b = await ort.InferenceSession.create(`.cache/bench-tensorflow/${n}.onnx`, o)
const t = new ort.Tensor('float32', Float32Array.from({ length: 224*224*3 }, (_, i) => Math.sin(i)), [1, 224,224,3])
const r: number[] = []
for (let k = 0; k < 7; k++) { const u: any = {}; for (const [nm, s] of [['ours', a], ['tf2onnx', b]] as const) { const f = { [s.inputNames[0]!]: t }; await s.run(f); const c = process.cpuUsage(); for (let i = 0; i < 10; i++) await s.run(f); const d = process.cpuUsage(c); u[nm] = (d.user+d.system)/10000 } r.push(u.ours/u.tf2onnx); if (k==6) console.log(n, u) }
console.log(n, 'ratio', r.sort()[3]!.toFixed(3))
await a.release(); await b.release() }
