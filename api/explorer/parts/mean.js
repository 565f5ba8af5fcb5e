/** Means. */

/** Null of no values. @param {number[]} values */
export const mean = (values) => (values.length ? values.reduce((sum, one) => sum + one, 0) / values.length : null);
