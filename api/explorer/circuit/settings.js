/** How a circuit is shown, as its address says. */

/** @typedef {{nodes: number, edges: number, hasErrors: boolean, isObserved: boolean, group: string, opened: Set<string>,
 *   pinned: string | null, panel: string, from: string, to: string, path: number | null}} Settings */

export const FEW = { nodes: 60, edges: 300 };

/** @param {URLSearchParams} query @returns {Settings} */
export function settingsOf(query) {
  const whole = (/** @type {string} */ name, /** @type {number} */ otherwise) => {
    const given = Math.round(Number(query.get(name) ?? ""));
    return given > 0 && Number.isFinite(given) ? given : otherwise;
  };
  return {
    nodes: whole("nodes", FEW.nodes),
    edges: whole("edges", FEW.edges),
    hasErrors: query.get("errors") !== "off",
    isObserved: query.get("weights") === "observed",
    group: query.get("group") ?? "",
    opened: new Set((query.get("opened") ?? "").split(",").filter(Boolean)),
    pinned: query.get("node"),
    panel: query.get("panel") ?? "",
    from: query.get("from") ?? "",
    to: query.get("to") ?? "",
    path: query.has("path") ? whole("path", 1) : null,
  };
}
