import { startEarly } from '@eas/processor/early'

const [name = '', ...rest] = process.argv.slice(2)
if (name === 'serve' && !rest.some((argument) => /^(-h|--help)$/.test(argument))) startEarly(process.env)

void import('./program.ts')
