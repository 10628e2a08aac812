import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { ServerProcess } from './server-process.js';

/** Of the objects of a listing; Google's own limit. */
const PAGE = 1000;
/** In bytes; only the last part of an upload may be smaller. */
const SMALLEST_PART = 5 * 1024 * 1024;

/** An upload in parts that was started, and neither finished nor aborted. */
interface Upload {
  object: string;
  parts: Map<number, { bytes: Buffer; etag: string }>;
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * A proxy before an emulator of Google's storage: it does what opendal asks for and no emulator has, as Google's manual
 * describes it, and passes on everything else.
 * - Uploads in parts: https://cloud.google.com/storage/docs/multipart-uploads
 * - `If-Match` when an object is read: https://cloud.google.com/storage/docs/request-preconditions
 * - Pages of a listing, which the emulator makes only when asked: https://cloud.google.com/storage/docs/json_api/v1/objects/list
 */
export async function startGoogleFront(target: string): Promise<ServerProcess> {
  const uploads = new Map<string, Upload>();
  const server = createServer((incoming, answer) => {
    const url = new URL(incoming.url ?? '', target);
    if (incoming.method === 'GET' && LISTING.test(url.pathname)) url.search += `&maxResults=${PAGE}`;
    if (!url.searchParams.has('uploads') && !url.searchParams.has('uploadId')) {
      pass(incoming, answer, url);
      return;
    }
    void inParts(incoming, url, uploads, target)
      .catch((error: Error): Answer => ({ status: 500, body: error.message }))
      .then(({ status, headers, body }) => answer.writeHead(status, headers).end(body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

const LISTING = /^\/storage\/v1\/b\/[^/]+\/o$/;

/** The emulator sends the ETag of its answer: when it is not the one that was asked for, the answer is not passed on. */
function pass(incoming: IncomingMessage, answer: ServerResponse, url: URL): void {
  const { method, headers } = incoming;
  const wanted = headers['if-match'];
  const passed = request(url, { method, headers }, (from) => {
    const { statusCode = 502 } = from;
    if (wanted !== undefined && statusCode < 300 && from.headers.etag !== `"${wanted}"`) {
      from.resume();
      answer.writeHead(412, { 'content-type': 'application/json' }).end(CONDITION_NOT_MET);
      return;
    }
    answer.writeHead(statusCode, from.headers);
    from.pipe(answer);
  });
  passed.on('error', () => answer.destroy());
  incoming.pipe(passed);
}

const CONDITION_NOT_MET = JSON.stringify({
  error: {
    code: 412,
    message: 'At least one of the pre-conditions you specified did not hold.',
    errors: [{ domain: 'global', reason: 'conditionNotMet', locationType: 'header', location: 'If-Match' }],
  },
});

/** The object is named in the path of each request, and must be the same in all. */
async function inParts(
  incoming: IncomingMessage,
  url: URL,
  uploads: Map<string, Upload>,
  target: string,
): Promise<Answer> {
  const body = await buffer(incoming);
  const object = decodeURIComponent(url.pathname);
  const [, bucket = '', ...name] = object.split('/');
  if (url.searchParams.has('uploads')) {
    const { status } = await fetch(`${target}/storage/v1/b/${bucket}`);
    if (status === 404) return refusal(404, 'NoSuchBucket');
    const id = randomUUID();
    uploads.set(id, { object, parts: new Map() });
    return xml('InitiateMultipartUploadResult', `<UploadId>${id}</UploadId>`);
  }
  const id = url.searchParams.get('uploadId') ?? '';
  const upload = uploads.get(id);
  if (upload?.object !== object) return refusal(404, 'NoSuchUpload');
  switch (incoming.method) {
    case 'PUT': {
      const etag = createHash('md5').update(body).digest('hex');
      upload.parts.set(Number(url.searchParams.get('partNumber')), { bytes: body, etag });
      return { status: 200, headers: { etag: `"${etag}"` } };
    }
    case 'DELETE':
      uploads.delete(id);
      return { status: 204 };
    default: {
      const assembled = assemble(upload, body.toString());
      if (typeof assembled === 'string') return refusal(400, assembled);
      const query = new URLSearchParams({ uploadType: 'media', name: name.join('/') });
      const { status } = await fetch(`${target}/upload/storage/v1/b/${bucket}/o?${query}`, {
        method: 'POST',
        body: assembled,
      });
      if (status !== 200) return { status };
      uploads.delete(id);
      return xml('CompleteMultipartUploadResult', `<ETag>"${randomUUID()}"</ETag>`);
    }
  }
}

/** The parts that are listed, one after another; or Google's word for why they make no object. */
function assemble({ parts }: Upload, list: string): Uint8Array<ArrayBuffer> | string {
  const listed = [
    ...list.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(?:"|&quot;)?(\w+)(?:"|&quot;)?<\/ETag>/g),
  ];
  const chosen = listed.map(([, number, etag]) => {
    const part = parts.get(Number(number));
    return part?.etag === etag ? part?.bytes : undefined;
  });
  const bytes = chosen.filter((part) => part !== undefined);
  if (bytes.length === 0 || bytes.length < chosen.length) return 'InvalidPart';
  if (bytes.slice(0, -1).some(({ byteLength }) => byteLength < SMALLEST_PART)) return 'EntityTooSmall';
  return new Uint8Array(Buffer.concat(bytes));
}

const xml = (name: string, content: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version='1.0' encoding='UTF-8'?><${name} xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>${content}</${name}>`,
});

const refusal = (status: number, code: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code><Message>No.</Message></Error>`,
});
