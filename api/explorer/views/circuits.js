export { Empty as default } from "../parts/states.js";
