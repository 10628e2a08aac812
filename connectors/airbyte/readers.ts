import type { Stream } from '../../src/index.js';
import { parentLists } from './parent-lists.js';
import type { Reader } from './reading.js';
import { singleList } from './single-list.js';

/** The reader of a stream: it has one list, or a list for each record of its parent. */
export const readerOf = ({ parent }: Stream): Reader => (parent ? parentLists : singleList);
