import { App } from "./app.js";
import { html, render } from "./html.js";
import { followLinks } from "./routes.js";

followLinks();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
