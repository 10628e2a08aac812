import { ConfigError } from '../errors.js';

/** Which proxy to go through; nothing is read from the environment here. Without a scheme an address is one of HTTP, as for curl. */
export interface ProxySettings {
  /** The proxy for `http:` addresses, and for `https:` ones unless `httpsProxy` says otherwise. */
  httpProxy?: string | undefined;
  httpsProxy?: string | undefined;
  /** Hosts that are reached directly: names, `.suffixes` and ports, separated by commas; `*` for all. */
  noProxy?: string | undefined;
}

/**
 * The addresses of proxies, each with its scheme; `''` where none is set.
 * @throws ConfigError `proxy_invalid`, which does not repeat the address: it may hold a password
 */
export function proxyAddresses({ httpProxy = '', httpsProxy = '', noProxy = '' }: ProxySettings) {
  return {
    httpProxy: addressOf('HTTP_PROXY', httpProxy),
    httpsProxy: addressOf('HTTPS_PROXY', httpsProxy),
    noProxy,
  };
}

function addressOf(variable: string, text: string): string {
  if (text === '') return '';
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (isUsable(address)) return address;
  throw new ConfigError(
    `The address of the proxy (${variable}) is not usable. It must look like http://proxy.example.com:8080, or like http://user:password@proxy.example.com:8080 where the characters %, /, ?, # and @ of the password are written as %25, %2F, %3F, %23 and %40.`,
    { code: 'proxy_invalid' },
  );
}

function isUsable(address: string): boolean {
  try {
    const { protocol, username, password } = new URL(address);
    decodeURIComponent(username + password); // a lone % has no meaning
    return protocol === 'http:' || protocol === 'https:';
  } catch {
    return false;
  }
}
