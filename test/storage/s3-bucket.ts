import type { BucketOptions } from '../../src/storage/bucket.js';

export const ACCESS_KEY = 'AKIAOFNOBODY';
export const SECRET = 'a secret that opens nothing';

/** What a bucket of S3 on a server of a test is opened with. */
export const bucketAt = (endpoint: string, more: Record<string, string> = {}): BucketOptions => ({
  service: 's3',
  location: 's3://lake/root',
  credentials: 'Set the credentials.',
  options: {
    bucket: 'lake',
    root: '/root',
    region: 'us-east-1',
    endpoint,
    access_key_id: ACCESS_KEY,
    secret_access_key: SECRET,
    disable_config_load: 'true',
    disable_ec2_metadata: 'true',
    ...more,
  },
  retries: 1,
});
