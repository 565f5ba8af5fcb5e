/** A query's parameters as a form: what is typed stays here until it is asked, and stands in the address from then on. */

import { html, useState } from "../html.js";
import { useSuggestions } from "./suggestions.js";

/** @typedef {{name: string, type: string, help: string, required: boolean, default: any, min: number | null, max: number | null, choices: any[]}} Param */
/** @typedef {Record<string, string>} Values */

/** @param {{params: Param[], given: Values, error: import("../server.js").Problem | null, ask: (values: Values) => void}} props */
export function Form({ params, given, error, ask }) {
  const [values, setValues] = useState(given);
  /** @param {any} event */
  const submit = (event) => {
    event.preventDefault();
    ask(values);
  };
  /** @param {any} event */
  const press = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
  };
  const at = error ? refused(params, values, error.message) : "";
  return html`<form class="question-form card" onSubmit=${submit} onKeyDown=${press} aria-label="Parameters">
    ${params.map((param) => html`<${Field} key=${param.name} param=${param} values=${values} problem=${at === param.name ? error?.message : ""} set=${(/** @type {string} */ value) => setValues({ ...values, [param.name]: value })} />`)}
    ${error && !at && html`<p class="problem" role="alert">${error.message}</p>`}
    <p class="ask"><button class="primary" title="Ctrl-Enter">Run</button>${Object.values(values).some(Boolean) && html`<button type="button" class="quiet" onClick=${() => setValues({})}>Clear</button>`}</p>
  </form>`;
}

/** @param {{param: Param, values: Values, problem?: string, set: (value: string) => void}} props */
function Field({ param, values, problem, set }) {
  const { name, required } = param;
  const id = `param-${name}`;
  const value = values[name] ?? "";
  return html`<div class="field">
    <label for=${id}>${name.replaceAll("_", " ")}${required && html` <span class="required">required</span>`}</label>
    <${Input} id=${id} param=${param} value=${value} values=${values} set=${set} isWrong=${Boolean(problem)} />
    <p id=${`${id}-help`} class="help">${problem ? html`<span class="problem" role="alert">${problem}</span>` : param.help}</p>
  </div>`;
}

/** @typedef {{id: string, param: Param, value: string, values: Values, set: (value: string) => void, isWrong: boolean}} Input */

/** @param {Input} props */
function Input(props) {
  const { id, param, value, set, isWrong } = props;
  const about = { id, "aria-describedby": `${id}-help`, "aria-invalid": isWrong || undefined };
  const typed = (/** @type {any} */ event) => set(event.target.value);
  if (param.type === "bool" || param.choices.length) {
    const choices = param.type === "bool" ? [true, false] : param.choices;
    const usual = param.default ?? choices[0];
    return html`<select ...${about} value=${value || String(usual)} onChange=${(/** @type {any} */ event) => set(event.target.value === String(usual) ? "" : event.target.value)}>
      ${choices.map((choice) => html`<option value=${String(choice)} selected=${String(choice) === (value || String(usual))}>${worded(choice)}</option>`)}
    </select>`;
  }
  const placeholder = param.default === null || param.default === "" ? "" : String(param.default);
  if (["int", "hops", "float"].includes(param.type)) {
    return html`<input ...${about} type="number" required=${param.required} min=${param.min ?? undefined} max=${param.max ?? undefined} step=${param.type === "float" ? "any" : 1} placeholder=${placeholder} value=${value} onInput=${typed} />`;
  }
  return html`<${Text} ...${props} about=${about} placeholder=${placeholder} typed=${typed} />`;
}

/** What is stored is offered while it is typed. @param {Input & {about: any, placeholder: string, typed: (event: any) => void}} props */
function Text({ id, param, value, values, about, placeholder, typed }) {
  const [isNear, setNear] = useState(param.required && !value);
  const offered = useSuggestions(param, values, isNear);
  return html`<input ...${about} type="text" required=${param.required} autocomplete="off" spellcheck=${false} class=${param.type === "uid" ? "uid" : undefined} list=${offered.length ? `${id}-list` : undefined}
      placeholder=${placeholder || (param.type === "uid" ? "uid" : "any")} value=${value} onFocus=${() => setNear(true)} onInput=${typed} />
    ${offered.length > 0 && html`<datalist id=${`${id}-list`}>${offered.map((one) => html`<option value=${one.value}>${one.text}</option>`)}</datalist>`}`;
}

/** @param {any} choice */
const worded = (choice) => (choice === true ? "yes" : choice === false ? "no" : choice === "" ? "any" : String(choice));

/** Which parameter the service means: the one that it names, or whose value. @param {Param[]} params @param {Values} values @param {string} message */
function refused(params, values, message) {
  const found = params.find(({ name }) => message.includes(`: ${name}:`) || message.includes(`: ${name} is`)) ?? params.find(({ name }) => values[name] && message.includes(`'${values[name]}'`));
  return found?.name ?? "";
}
