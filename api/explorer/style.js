/** Style sheets that only some views need, fetched when one is shown. */

/** @param {string} name of a file in styles/ */
export function style(name) {
  const id = `style-${name}`;
  if (document.getElementById(id)) return;
  const link = document.createElement("link");
  link.id = id;
  link.rel = "stylesheet";
  link.href = new URL(`./styles/${name}.css`, import.meta.url).href;
  document.head.append(link);
}
