import { Command } from 'commander'
import { inspectCommand } from './commands/inspect.ts'
import { predictCommand } from './commands/predict.ts'
import { serveCommand } from './commands/serve.ts'
import { reportAndExit } from './report.ts'

const program = new Command('eas')
  .description('Serves PAI-EAS models from a function or a terminal: same requests, same service.json.')
  .version('0.1.0')
  .showHelpAfterError('(run with --help for what is possible)')
  .exitOverride() // commander exits with 1 for a wrong use; here 1 is a failure that is not the user's

for (const command of [serveCommand(), predictCommand(), inspectCommand()]) {
  program.addCommand(command.copyInheritedSettings(program))
}

// `eas predict … | head` closes the pipe before all is written: nothing is wrong with that.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

program.parseAsync().catch(reportAndExit)
