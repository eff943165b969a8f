import { resolve } from 'node:path'
import { machineOf, prepareBeside, settingsFromEnv } from '@eas/processor'
import { Command } from 'commander'
import { ofModel } from '../model-trouble.ts'
import { formatBytes, formatMs, labelled, print, styled } from '../print.ts'
import { showing } from '../show-after.ts'

export const prepareCommand = () =>
  new Command('prepare')
    .description('Make the form of a model that ONNX Runtime opens fastest, and keep it beside the model.')
    .argument(
      '<models...>',
      'model files, folders or URLs: model.onnx, oss://bucket/resnet.pt, s3://bucket/saved_model/',
    )
    .addHelpText(
      'after',
      `
Examples:
  eas prepare model.onnx                 writes model.onnx.eas/<machine>/
  eas prepare oss://bucket/resnet.pt     fetches the model, writes oss://bucket/resnet.pt.eas/<machine>/

A prepared model is for one version of ONNX Runtime and one kind of machine, so make it on the machine that serves it, or
one like it. A service finds it by itself; for another machine, or once the model is replaced, it is left aside.`,
    )
    .action(prepare)

async function prepare(models: readonly string[]): Promise<void> {
  const machine = machineOf(settingsFromEnv(process.env))
  for (const model of models) {
    const start = performance.now()
    const { folder, manifest } = await showing(
      `Preparing ${model}`,
      ofModel('prepare', model, () => prepareBeside(model, resolve('.'), machine)),
    )
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
    print(
      `${styled('bold', model)} is prepared\n${labelled([
        ['in', folder],
        ['for', `${manifest.platform}, level ${manifest.level}`],
        ['size', formatBytes(bytes)],
        ['took', formatMs(performance.now() - start)],
      ])}`,
    )
  }
}
