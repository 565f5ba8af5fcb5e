/** What views are written with: Preact, its hooks, and templates in place of JSX, so that nothing is built. */

import htm from "./vendor/htm.js";
import { h } from "./vendor/preact.js";

export const html = htm.bind(h);
export { createContext, render } from "./vendor/preact.js";
export { useCallback, useContext, useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-hooks.js";
