import { APIConnectionError, APITimeoutError } from './api-errors.js';

/**
 * Node's codes of a certificate that is not trusted: waiting changes nothing about it.
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
const NOT_TRUSTED =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|CERT_\w+|CRL_\w+|(?:DEPTH_ZERO_)?SELF_SIGNED_CERT\w*|UNABLE_TO_(?:GET|VERIFY|DECRYPT|DECODE)_\w+|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERROR_IN_\w+_FIELD)$/;

const IS_IT_RIGHT = ' Is the base URL right?';

/** Codes of Node and undici, and what they mean for the reader. */
const KINDS: readonly { codes: RegExp; code: string; what: string; advice?: string }[] = [
  {
    codes: /^ECONNREFUSED$/,
    code: 'connection_refused',
    what: 'the connection was refused',
    advice: IS_IT_RIGHT,
  },
  {
    codes: /^(?:ENOTFOUND|EAI_AGAIN)$/,
    code: 'host_not_found',
    what: 'the host name was not resolved',
    advice: IS_IT_RIGHT,
  },
  {
    codes: /^(?:UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT)$/,
    code: 'timeout',
    what: 'the network timed out',
  },
  {
    codes: /^(?:UND_ERR_RES_CONTENT_LENGTH_MISMATCH|Z_\w+|ERR__\w+)$/,
    code: 'body_cut',
    what: 'the answer was interrupted or damaged',
  },
  {
    codes: /^ERR_(?:TLS|SSL)_|^EPROTO$|^UND_ERR_PRX_TLS$/,
    code: 'tls_failed',
    what: 'the server does not speak TLS as it should (is it https:, and the right port?)',
  },
  {
    codes: /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|HPE_\w+)$/,
    code: 'connection_reset',
    what: 'the connection broke',
  },
];

/** Explains in one sentence why there was no answer at all; the cause is kept. */
export function connectionError(
  request: { method: string; path: string },
  cause: unknown,
): APIConnectionError {
  const proxyStatus = /^Proxy response \((\d+)\)/.exec(message(cause))?.[1];
  if (proxyStatus !== undefined) {
    return new APIConnectionError(
      `${request.method} ${request.path} did not get through the proxy, which answered ${proxyStatus}. Check its address and sign-in.`,
      { ...request, code: 'proxy_refused', failure: proxyStatus < '500' ? 'config' : 'transient', cause },
    );
  }
  const served = codes(cause);
  const distrust = served.find((code) => NOT_TRUSTED.test(code));
  if (distrust !== undefined) {
    return new APIConnectionError(
      `${request.method} ${request.path} was not sent: the certificate of the server, or of the proxy, is not trusted (${distrust}). If it is of an authority of your own, name a PEM file with that authority's certificate by NODE_EXTRA_CA_CERTS. If it has expired or names another host, check the base URL and ask who runs the server.`,
      { ...request, code: 'certificate_not_trusted', failure: 'config', cause },
    );
  }
  const kind = KINDS.find(({ codes }) => served.some((code) => codes.test(code)));
  const { code, what, advice = '' } = kind ?? { code: 'connection_failed', what: 'the connection failed' };
  const hint = served[0] === undefined ? '' : ` (${served[0]})`;
  return new (code === 'timeout' ? APITimeoutError : APIConnectionError)(
    `${request.method} ${request.path} got no complete answer: ${what}${hint}.${advice} Try again later.`,
    { ...request, code, cause },
  );
}

/** Whether nobody answered at all: with a wrong address that stays so, however often it is tried. */
export const isUnreachable = ({ code }: APIConnectionError): boolean =>
  code === 'connection_refused' || code === 'host_not_found';

const message = (error: unknown): string => (error instanceof Error ? error.message : '');

/** The codes of an error and of what caused it, the outermost first. */
function codes(error: unknown): string[] {
  const found: string[] = [];
  for (let at = error; at instanceof Error && found.length < 8; at = at.cause) {
    const { code } = at as Error & { code?: unknown };
    if (typeof code === 'string') found.push(code);
    if (at instanceof AggregateError) found.push(...at.errors.flatMap(codes));
  }
  return found;
}
