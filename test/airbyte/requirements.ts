/** PyAirbyte, the CDK with its test utilities, and both forms of the protocol's models; each pinned. */
export const REQUIREMENTS: readonly string[] = [
  'airbyte==0.71.3',
  'airbyte-cdk==7.39.1',
  'airbyte-protocol-models-pdv2==0.18.0',
  'airbyte-protocol-models-dataclasses==0.17.1',
];
