import { ComplianceError } from '../../src/index.js';

/** A warehouse, or a snapshot on its way there, that does not give or take what it should. */
export class WarehouseError extends ComplianceError {}
