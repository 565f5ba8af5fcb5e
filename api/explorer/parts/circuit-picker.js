/** A field to pick a circuit with: what is typed is looked for; before, those that are most like another one are offered. */

import { html, useEffect, useRef, useState } from "../html.js";
import { count } from "../format.js";
import { href, useLatest } from "../server.js";

/** @typedef {import("../server.js").Row} Row */

const TYPING_MS = 150;
const OFFERED = 12;

let fields = 0;

/** @param {{label: string, name: string, like?: string | null, pick: (uid: string) => void}} props `name` of the one that is picked; `like`: uid of another */
export function CircuitPicker({ label, name, like, pick }) {
  const id = useRef(`circuit-picker-${fields++}`).current;
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const timer = useRef(0);
  const [isOpen, setOpen] = useState(false);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [isTyping, setTyping] = useState(false);
  const alike = useLatest(isOpen && !text && like ? href("/queries/similar_circuits", { circuit: like, limit: OFFERED }) : null);
  const isAlike = !text && alike.answer?.rows.length > 0;
  const found = useLatest(isOpen && !isAlike ? href("/queries/circuits", { name: text, sort: "name", order: "asc", limit: OFFERED }) : null);
  const { answer, isOld, error } = isAlike ? alike : found;
  const options = (answer?.rows ?? []).map(asOption);
  const isSettled = Boolean(answer) && !isOld && !isTyping; // what is listed is what was typed
  useEffect(() => () => clearTimeout(timer.current), []);
  const close = () => {
    clearTimeout(timer.current);
    setTyping(false);
    setOpen(false);
    setText("");
  };
  /** @param {any} option */
  const take = (option) => {
    if (!option) return;
    pick(option.uid);
    close();
    field.current?.blur();
  };
  /** @param {any} event */
  const typed = ({ target: { value } }) => {
    clearTimeout(timer.current);
    setOpen(true);
    setTyping(true);
    timer.current = setTimeout(() => {
      setTyping(false);
      setText(value.trim());
      setAt(0);
    }, TYPING_MS);
  };
  /** @param {any} event */
  const open = (event) => {
    setOpen(true);
    setAt(0);
    event.currentTarget.select();
  };
  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") setAt((at + (event.key === "ArrowDown" ? 1 : options.length - 1)) % Math.max(1, options.length));
    else if (event.key === "Enter") take(isSettled && options[at]);
    else if (event.key === "Escape") field.current?.blur();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="circuit-picker">
    <label for=${id}>${label}</label>
    <input id=${id} ref=${field} type="text" role="combobox" autocomplete="off" spellcheck=${false} placeholder="A name, a uid, a prompt's text" value=${isOpen ? undefined : name}
      aria-expanded=${isOpen} aria-controls=${`${id}-list`} aria-autocomplete="list" aria-activedescendant=${isOpen && options[at] ? `${id}-${at}` : undefined}
      onFocus=${open} onInput=${typed} onBlur=${close} onKeyDown=${press} />
    ${isOpen && html`<ul id=${`${id}-list`} role="listbox" aria-label=${label}>
      ${isAlike && html`<li class="faint" role="presentation">Most features in common with the other</li>`}
      ${error ? html`<li class="problem" role="alert">${error.message}</li>` : !options.length && isSettled && html`<li class="faint" role="presentation">No circuit is like this</li>`}
      ${options.map((/** @type {any} */ option, /** @type {number} */ i) => html`<li id=${`${id}-${i}`} role="option" aria-selected=${i === at} onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()} onClick=${() => take(option)}>
        <span>${option.name}</span><span class="faint">${option.more}</span>
      </li>`)}
    </ul>`}
  </div>`;
}

/** @param {Row} row of either query */
const asOption = (row) => ({
  uid: row.circuit ?? row.uid,
  name: row.name,
  more: row.n_shared === undefined ? `${row.aggregation === "task" ? "whole task" : "prompt"}, ${row.model}` : `${row.aggregation === "task" ? "whole task, " : ""}${count(row.n_shared)} of ${count(row.n_features)} shared`,
});
