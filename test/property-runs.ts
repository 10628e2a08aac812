/** How many random cases a property is tried with: few in `npm test`, four times as many in `npm run test:properties`. */
export const runs = (few: number): number => few * Number(process.env.PROPERTY_RUNS ?? 1);
