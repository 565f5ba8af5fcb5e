/** Style sheets that only some views need, fetched when one is shown. */

import { isExported } from "./server.js";

/** @param {string} name of a file in styles/ */
export function style(name) {
  const id = `style-${name}`;
  if (document.getElementById(id) || isExported()) return; // an exported page has all it needs in itself
  const link = document.createElement("link");
  link.id = id;
  link.rel = "stylesheet";
  link.href = new URL(`./styles/${name}.css`, import.meta.url).href;
  document.head.append(link);
}
