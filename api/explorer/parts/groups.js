/** Rows by what they have in common. */

/**
 * Groups in the order in which they come up, each with its rows in theirs.
 * @template Row @template Key
 * @param {Iterable<Row>} rows @param {(row: Row) => Key} keyOf
 * @returns {Map<Key, Row[]>}
 */
export function grouped(rows, keyOf) {
  /** @type {Map<Key, Row[]>} */
  const groups = new Map();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
