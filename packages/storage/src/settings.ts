import type { CredentialSource } from './net/sigv4.ts'
import type { WireSettings } from './net/wire.ts'
import type { CallOptions } from './object-store.ts'

/** Where stores are and how to get in. Stores are remembered per settings object: make one and keep it. */
export interface StoreSettings {
  /**
   * Where buckets live now: `{ 'oss://models': 's3://company-models/eas' }` reads `oss://models/a` from
   * `s3://company-models/eas/a`. A row may have a path; the longest row that fits counts. Rows are not applied to rows.
   */
  readonly buckets?: { readonly [url: string]: string }
  /** What plain relative paths are relative to. Default: the process's folder. */
  readonly baseDir?: string
  readonly wire?: WireSettings
  readonly s3?: S3Options
  readonly oss?: OssOptions
  readonly gcs?: GcsOptions
}

interface Signed {
  /** `https://host`, instead of the provider's own. Of S3 by default what `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` says. */
  readonly endpoint?: string
  /**
   * Whether the bucket goes into the path. Default of OSS: only if the endpoint's host is an address or `localhost`; of S3: unless
   * it is a provider's that wants it in the host's name.
   */
  readonly pathStyle?: boolean
  /** Asked for every request. Default: the provider's own way, below. */
  readonly credentials?: CredentialSource
  /** Send no credentials at all, for public buckets. */
  readonly anonymous?: boolean
}

export interface S3Options extends Signed {
  /**
   * Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, `us-east-1`; a bucket of AWS that is elsewhere is found there. Credentials by
   * default come from the AWS SDK's chain.
   */
  readonly region?: string
  /** Whether checksums may be sent in trailers. Default: only to S3 itself. */
  readonly trailers?: boolean
  /** Whether an ETag of 32 hex digits is an MD5, to be verified. Default: true. */
  readonly etagIsMd5?: boolean
}

export interface OssOptions extends Signed {
  /**
   * `cn-shanghai`; needed unless the URL's host or the endpoint says it. Credentials by default are the environment's
   * `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET` and `ALIBABA_CLOUD_SECURITY_TOKEN`.
   */
  readonly region?: string
  /** Whether to use the endpoint of Alibaba Cloud's own network, which costs no traffic fee. Default: false. */
  readonly internal?: boolean
}

export interface GcsOptions {
  /** Default: `https://storage.googleapis.com`. */
  readonly endpoint?: string
  /**
   * An access token. Default: Google's application default credentials, which are the file of `GOOGLE_APPLICATION_CREDENTIALS`,
   * that of `gcloud auth application-default login`, or the metadata server.
   */
  readonly token?: (options: CallOptions) => Promise<string>
  /** Send no token: public buckets, emulators. */
  readonly anonymous?: boolean
  /** HMAC keys: the bucket is then spoken to over the S3 API. */
  readonly hmac?: CredentialSource
  /** For tests: instead of `http://metadata.google.internal`. */
  readonly metadataServer?: string
}
