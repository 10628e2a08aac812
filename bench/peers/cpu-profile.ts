/** What `node --cpu-prof` writes, as far as it is read here. */
export interface CpuProfile {
  nodes: readonly ProfileNode[];
  /** The node that each sample was in. */
  samples: readonly number[];
  /** µs since the sample before. */
  timeDeltas: readonly number[];
}

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string };
  children?: readonly number[];
}

/** V8's own nodes; `undefined`: nothing was done. */
const SPECIAL: Readonly<Record<string, string | undefined>> = {
  '(garbage collector)': 'garbage collector',
  '(program)': 'native code',
  '(idle)': undefined,
  '(root)': undefined,
};

/** The CPU time of a profile, µs by layer: a folder below `src`, a package, Node itself, the garbage collector. */
export function timeByLayer({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const parents = new Map<number, ProfileNode>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const layers = new Map(nodes.map((node) => [node.id, layerOf(node, parents)]));

  const times = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const layer = layers.get(id);
    if (layer === undefined || !byId.has(id)) continue;
    times.set(layer, (times.get(layer) ?? 0) + (timeDeltas[i] ?? 0));
  }
  return times;
}

/** Of a built-in function, such as `Array.push`, the layer that called it; JSON.parse is named. */
function layerOf(node: ProfileNode, parents: ReadonlyMap<number, ProfileNode>): string | undefined {
  const { functionName, url } = node.callFrame;
  if (Object.hasOwn(SPECIAL, functionName)) return SPECIAL[functionName];
  if (url === '' && functionName === 'parse') return 'JSON.parse';
  if (url === '') {
    const caller = parents.get(node.id);
    return caller === undefined ? 'native code' : layerOf(caller, parents);
  }
  if (url.startsWith('node:')) return 'Node';
  if (url.startsWith('wasm:')) return 'WebAssembly';
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (name !== undefined) return name;
  const [, ours] = /\/dist\/(?:src\/([^/]+)|connectors)\//.exec(url) ?? [];
  return ours ?? 'connectors';
}
