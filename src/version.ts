/** The version of the package; a test holds it against package.json. */
export const VERSION = '0.1.0';

/** Of the Node that runs this, for evidence. */
export const NODE_VERSION = process.version;

/** The package's name, for the manifest. */
export const NAME = 'claude-compliance-connector';

/** This program, as manifests name it. */
export const CONNECTOR = { name: NAME, version: VERSION, node: NODE_VERSION };
