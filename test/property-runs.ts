/** How many random cases a property is tried with: few in `npm test`, three times as many in `npm run test:deep`. */
export const runs = (few: number): number => few * Number(process.env.PROPERTY_RUNS ?? 1);
