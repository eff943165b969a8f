import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { oneLine } from '@eas/base'
import { readSmall, type Wire } from '../net/wire.ts'
import { StoreError } from '../store-error.ts'
import { askMetadata, type FreshToken, keptToken, parseToken, type TokenOptions } from './gcs-token.ts'

/**
 * Access tokens by Google's application default credentials: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, else that of
 * `gcloud auth application-default login`, else the metadata server.
 * @see https://cloud.google.com/docs/authentication/application-default-credentials
 */
export function applicationToken(wire: Wire): (options: TokenOptions) => Promise<string> {
  return keptToken(async () => {
    const file = await credentialsFile()
    if (file) return askByFile(file, wire)
    return askMetadata(new URL(`http://${process.env.GCE_METADATA_HOST || 'metadata.google.internal'}`))
  })
}

interface CredentialsFile {
  readonly path: string
  readonly text: string
}

async function credentialsFile(): Promise<CredentialsFile | undefined> {
  const { GOOGLE_APPLICATION_CREDENTIALS: named, CLOUDSDK_CONFIG } = process.env
  try {
    const path = named || join(CLOUDSDK_CONFIG || join(homedir(), '.config/gcloud'), loginFile)
    return { path, text: await readFile(path, 'utf8') }
  } catch (error) {
    if (named) throw StoreError.from(error, `read the credentials in ${named}`, 'denied')
    return undefined // nor has every container a home
  }
}

/** Where `gcloud auth application-default login` leaves them. */
const loginFile = 'application_default_credentials.json'

/** Google's own; a file of a service account names it too. */
const tokenUri = 'https://oauth2.googleapis.com/token'
const scope = 'https://www.googleapis.com/auth/devstorage.read_write'

/** What is asked for a token with, by the `type` of a credentials file. Google Cloud: "OAuth 2.0 for server-to-server". */
const grants: {
  readonly [type: string]: (file: { readonly [field: string]: string }) => Promise<Record<string, string>>
} = {
  service_account: async ({ client_email, private_key, private_key_id, token_uri = tokenUri }) => {
    const { createSign } = await import('node:crypto')
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const iat = Math.floor(Date.now() / 1000)
    const claims = { iss: client_email, scope, aud: token_uri, iat, exp: iat + 3600 }
    const head = `${encode({ alg: 'RS256', typ: 'JWT', kid: private_key_id })}.${encode(claims)}`
    const signature = createSign('RSA-SHA256')
      .update(head)
      .sign(private_key ?? '', 'base64url')
    return { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: `${head}.${signature}` }
  },
  authorized_user: async ({ client_id = '', client_secret = '', refresh_token = '' }) => ({
    grant_type: 'refresh_token',
    client_id,
    client_secret,
    refresh_token,
  }),
}

async function askByFile({ path, text }: CredentialsFile, wire: Wire): Promise<FreshToken> {
  const doing = `get a token by ${path}`
  const file = textsOf(text)
  const { type = '', token_uri = tokenUri } = file
  const grant = Object.hasOwn(grants, type) ? grants[type] : undefined
  if (!grant) {
    throw new StoreError(
      'denied',
      `Cannot ${doing}: ${type ? `credentials of type ${type}` : 'it'} cannot be used, only ${Object.keys(grants).join(' and ')}`,
    )
  }
  if (!URL.canParse(token_uri)) throw new StoreError('denied', `Cannot ${doing}: its token_uri is not a web address`)
  const form = await grant(file).catch((error) => {
    throw StoreError.from(error, doing, 'denied')
  })
  const origin = new URL(token_uri)
  const response = await wire.send({
    method: 'POST',
    origin,
    path: origin.pathname + origin.search,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(`${new URLSearchParams(form)}`),
    doing,
  })
  const answer = `${await readSmall(response.body, 64 * 1024, doing)}`
  if (response.status !== 200) {
    const { error = '', error_description = '' } = textsOf(answer)
    const said = oneLine([error, error_description].filter(Boolean).join(', '))
    throw new StoreError('denied', `Cannot ${doing}: ${response.status}${said && ` ${said}`}`, {
      retryable: response.status >= 500,
    })
  }
  return parseToken(answer, doing)
}

/** The members of a JSON object that are texts; of anything else none. */
function textsOf(json: string): { readonly [field: string]: string } {
  try {
    const pairs = Object.entries(JSON.parse(json) ?? {})
    return Object.fromEntries(pairs.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))
  } catch {
    return {}
  }
}
