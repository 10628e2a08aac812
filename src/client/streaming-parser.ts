import { JSONParser, type ParsedTokenInfo, TokenType } from '@streamparser/json';
import { ProtocolError } from '../errors.js';
import { bodyEmpty, notJson, notUtf8 } from './body-fault.js';
import { fault, tooDeep, tooManyRecords } from './envelope.js';
import type { PageLimits } from './page-limits.js';

/** Takes a body piece by piece. */
export interface Parser {
  write(chunk: Uint8Array): void;
  /** The complete value, once the document is closed. */
  end(): unknown;
}

/** Builds what JSON.parse would build, from chunks, and stops at the caps. */
export function streamingParser(limits: PageLimits): Parser {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const parser = keepingMarks(
    new JSONParser({ paths: ['$'], stringBufferSize: 4096, numberBufferSize: 4096 }),
  );
  let root: unknown;
  let depth = 0;
  let records = 0;
  let tokens = 0;
  let written = 0;
  let lastToken = 0;

  parser.onValue = ({ value }) => {
    root = value;
  };
  parser.onToken = ({ token, offset }: ParsedTokenInfo) => {
    lastToken = offset;
    tokens += 1;
    if (tokens > limits.tokens)
      throw fault('body_too_dense', `holds more than ${limits.tokens} tokens of JSON`);
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) {
      depth += 1;
      if (depth > limits.depth) throw tooDeep(limits);
      if (depth === 3 && token === TokenType.LEFT_BRACE) records += 1; // an object in a list of the envelope
      if (records > limits.records) throw tooManyRecords(limits);
    } else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) {
      depth -= 1;
    }
  };
  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      throw error instanceof ProtocolError ? error : notJson();
    }
  };
  return {
    write(chunk) {
      utf8(() => decoder.decode(chunk, { stream: true })); // the parser does not look at every byte
      guarded(() => parser.write(chunk));
      written += chunk.byteLength;
      if (written - lastToken > limits.tokenBytes) {
        throw fault('body_too_large', `holds a value longer than ${limits.tokenBytes} bytes`);
      }
    },
    end() {
      utf8(() => decoder.decode());
      guarded(() => {
        if (!parser.isEnded) parser.end();
      });
      if (tokens === 0) throw bodyEmpty();
      return root;
    },
  };
}

/**
 * The decoder of the library's texts takes U+FEFF at the start of a piece for a byte order mark and drops it: `"\ufeffAda"` served in
 * UTF-8 would become `"Ada"` (seen with 0.0.26). It has no option for it, so its decoder is replaced.
 */
function keepingMarks(parser: JSONParser): JSONParser {
  const { tokenizer } = parser as unknown as { tokenizer: { bufferedString: { decoder: object } } };
  tokenizer.bufferedString.decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return parser;
}

function utf8<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw notUtf8(error);
  }
}
