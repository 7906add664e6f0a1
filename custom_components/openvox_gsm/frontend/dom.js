/** Building elements. Everything that is shown goes through here as text, never as HTML. */

/**
 * Make an element: `onclick` and the like are listeners, `.name` sets a property, all
 * others are attributes (true: without a value; false, null: none). Children are nodes or
 * texts; null and false are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith(".")) element[name.slice(1)] = value;
    else setAttribute(element, name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** Set an attribute, or remove it with false, null or undefined. */
export function setAttribute(element, name, value) {
  if (value == null || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

/** Make one of Home Assistant's icons. */
export const icon = (name) => h("ha-icon", { icon: `mdi:${name}`, "aria-hidden": "true" });

/** Make one of Home Assistant's icon buttons; where there is none, a button with words. */
export function iconButton(name, label, onclick) {
  if (!customElements.get("ha-icon-button")) {
    return h("button", { type: "button", class: "text-button", onclick }, label);
  }
  return h("ha-icon-button", { label, onclick }, icon(name));
}

/** Define an element, unless an older one is there: after an update without a reload. */
export function define(name, element) {
  if (!customElements.get(name)) customElements.define(name, element);
}

/** Fire an event that Home Assistant hears, however deep the element is. */
export function fire(element, type, detail) {
  element.dispatchEvent(new CustomEvent(type, { bubbles: true, composed: true, detail }));
}

/** Make a style sheet for several elements. */
export function sheet(css) {
  const styles = new CSSStyleSheet();
  styles.replaceSync(css);
  return styles;
}

/** Call a function once, after a pause in the calls, in milliseconds. */
export function debounce(milliseconds, callback) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(callback, milliseconds, ...values);
  };
}

/** An element with a shadow root and the styles of its class. */
export class ShadowElement extends HTMLElement {
  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = this.constructor.styles;
  }
}
