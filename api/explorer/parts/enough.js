/** When a circuit counts as doing what the model does. */

const ENOUGH = 0.9; // of the metric's change

/** The smallest that does, of circuits by size. @template {{faithfulness: number}} Row @param {Row[]} curve */
export const enoughOf = (curve) => curve.find((row) => row.faithfulness >= ENOUGH);
