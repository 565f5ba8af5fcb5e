/** Light, dark, or as the system has it: kept in this browser. */

import { useEffect, useState } from "./html.js";

const KEY = "circuitstore-theme";
const THEMES = ["auto", "light", "dark"];
const CHANGED = "circuitstore-theme";

let chosen = kept();

/** What this browser keeps; where it keeps nothing for pages, a choice lasts as long as the page. */
function kept() {
  try {
    return localStorage.getItem(KEY) ?? "auto";
  } catch {
    return "auto";
  }
}

const themeNow = () => (THEMES.includes(chosen) ? chosen : "auto");

export function nextTheme() {
  chosen = THEMES[(THEMES.indexOf(themeNow()) + 1) % THEMES.length] ?? "auto";
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // storage is blocked
  }
  apply();
}

/** The theme's name, for a component that changes with it, or with what it looks like. */
export function useTheme() {
  const [theme, setTheme] = useState(themeNow());
  useEffect(() => {
    const look = () => setTheme(themeNow());
    addEventListener(CHANGED, look);
    return () => removeEventListener(CHANGED, look);
  }, []);
  return theme;
}

/** The colour that a custom property of the style sheet has now. @param {string} name as --ink */
export function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Call when colours are others. @param {() => void} look */
export function onColours(look) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", look);
  addEventListener(CHANGED, look);
  return () => {
    system.removeEventListener("change", look);
    removeEventListener(CHANGED, look);
  };
}

function apply() {
  const theme = themeNow();
  document.documentElement.style.colorScheme = theme === "auto" ? "light dark" : theme;
  dispatchEvent(new Event(CHANGED));
}

addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  chosen = kept(); // by another tab
  apply();
});

apply();
