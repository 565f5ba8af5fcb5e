/** The frame around every view: what the page is, where else to go, its keys, and what is shown where a view fails. */

import { html, useEffect, useErrorBoundary, useRef, useState } from "./html.js";
import { keys, useKeys } from "./keys.js";
import { Failed, Waiting } from "./parts/states.js";
import { go, moduleOf, useRoute } from "./routes.js";
import { asProblem, GONE, isExported, Problem, SLOW_MS, useRenewals } from "./server.js";
import { nextTheme, useTheme } from "./theme.js";

/** @typedef {import("./routes.js").Route} Route */

const PLACES = [
  { path: "/", name: "Circuits", views: ["circuits", "circuit", "compare"], key: "1" },
  { path: "/clusterings", name: "Clusterings", views: ["clusterings", "clustering", "cluster"], key: "2" },
  { path: "/ablations", name: "Ablations", views: ["ablations"], key: "3" },
  { path: "/queries", name: "Ask", views: ["questions", "question", "cypher"], key: "4" },
];

/** How keys are shown. @type {Record<string, string>} */
const SIGNS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", " ": "space" };

export function App() {
  const route = useRoute();
  const [isHelpOpen, setHelpOpen] = useState(false);
  const theme = useTheme();
  useKeys([
    { key: "?", does: "show the keys", run: () => setHelpOpen(true) },
    { key: "/", does: "search", run: () => /** @type {HTMLElement | null} */ (document.querySelector("[type=search]"))?.focus() },
    { key: "t", does: `light, dark, or as the system has it (now: ${theme})`, run: nextTheme },
    ...PLACES.map(({ path, name, key }) => ({ key, does: `go to ${name}`, run: () => go(path) })),
  ], [theme]);
  const renewals = useRenewals();
  const wasShown = useRef(false);
  useEffect(() => {
    const name = PLACES.find((place) => place.views.includes(route.view))?.name ?? "";
    document.title = [route.uid.split(":")[0], name, "Circuitstore"].filter(Boolean).join(" · ");
    if (wasShown.current) document.getElementById("view")?.focus({ preventScroll: true });
    wasShown.current = true;
  }, [route.view, route.uid, renewals]);
  return html`
    <a class="skip" href="#view">Skip to the content</a>
    ${!isExported() && html`<header class="top">
      <a class="brand" href="/"><img src="/explorer/icon.svg" alt="" width="22" height="22" />Circuitstore</a>
      <nav aria-label="Views">
        ${PLACES.map((place) => html`<a href=${place.path} aria-current=${place.views.includes(route.view) ? "page" : undefined}>${place.name}</a>`)}
      </nav>
      <span class="spacer"></span>
      <a href="/docs">API</a>
      <button class="quiet" onClick=${nextTheme} title="Light, dark, or as the system has it (t)">${theme}</button>
      <button class="quiet" onClick=${() => setHelpOpen(true)} title="Keys (?)" aria-label="Keys">?</button>
    </header>`}
    <main id="view" tabindex="-1"><${View} key=${`${route.view} ${route.uid} ${renewals}`} route=${route} /></main>
    <${Help} isOpen=${isHelpOpen} close=${() => setHelpOpen(false)} />
  `;
}

/** @param {{route: Route}} props */
function View({ route }) {
  const [loaded, setLoaded] = useState(/** @type {{view: any} | null} */ (null));
  const [missing, setMissing] = useState(/** @type {any} */ (null));
  const [isSlow, setSlow] = useState(false);
  const [broken, mend] = useErrorBoundary((error) => console.error(error));
  useEffect(() => {
    if (broken) mend(); // another address may be a good one
  }, [route.query.toString()]);
  useEffect(() => {
    const slow = setTimeout(() => setSlow(true), SLOW_MS);
    moduleOf(route.view)?.then((module) => setLoaded({ view: module.default }), setMissing);
    return () => clearTimeout(slow);
  }, [route.view]);
  if (broken) return html`<${Failed} error=${asProblem(broken)} again=${mend} />`;
  if (missing) return html`<${Failed} error=${new Problem(0, `${GONE} (${missing.message})`)} again=${() => location.reload()} />`;
  if (!route.view) return html`<${Failed} error=${asProblem(new Error(`No view stands at ${route.path}.`))} />`;
  return loaded ? html`<${loaded.view} route=${route} />` : isSlow && html`<${Waiting} />`;
}

/** @param {{isOpen: boolean, close: () => void}} props */
function Help({ isOpen, close }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return html`<dialog ref=${dialog} onClose=${close} aria-labelledby="keys-title">
    <h2 id="keys-title">Keys</h2>
    <dl class="keys">${keys().map((one) => html`<dt><kbd>${SIGNS[one.key] ?? one.key}</kbd></dt><dd>${one.does}</dd>`)}</dl>
    <form method="dialog"><button>Close</button></form>
  </dialog>`;
}
