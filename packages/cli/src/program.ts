import { discardEarly } from '@eas/processor/early'
import { Command } from 'commander'
import { fileError } from './read-file.ts'
import { reportAndExit } from './report.ts'

/** Each command, by its name. Only the one that is asked for is loaded: a server must be there soon. */
const commands: { readonly [name: string]: () => Promise<Command> } = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand(),
  predict: async () => (await import('./commands/predict.ts')).predictCommand(),
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand(),
  prepare: async () => (await import('./commands/prepare.ts')).prepareCommand(),
  score: async () => (await import('./commands/score.ts')).scoreCommand(),
  import: async () => (await import('./commands/import.ts')).importCommand(),
  fg: async () => (await import('./commands/fg.ts')).fgCommand(),
}

const program = new Command('eas')
  .description('Serves PAI-EAS models from a function or a terminal: same requests, same service.json.')
  .version('0.1.0')
  .showHelpAfterError('(run with --help for what is possible)')
  .exitOverride() // commander exits with 1 for a wrong use; here 1 is a failure that is not the user's

const [name = ''] = process.argv.slice(2)

// `eas predict … | head` closes the pipe before all is written: nothing is wrong with that.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  reportAndExit(fileError('write', 'to standard output', error))
})

async function run(): Promise<void> {
  // Help and mistakes need them all.
  for (const known of Object.hasOwn(commands, name) ? [name] : Object.keys(commands)) {
    const command = await commands[known]?.()
    if (command) program.addCommand(command.copyInheritedSettings(program))
  }
  await program.parseAsync()
}

run().catch(async (thrown) => {
  await discardEarly()
  reportAndExit(thrown)
})
