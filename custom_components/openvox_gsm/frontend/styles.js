/** What several elements look like, in the colors and sizes of Home Assistant's theme. */

import { sheet } from "./dom.js";

export const base = sheet(`
  :host {
    display: block;
    box-sizing: border-box;
    color: var(--primary-text-color);
    font-family: var(--ha-font-family-body, Roboto, sans-serif);
    font-size: var(--ha-font-size-m, 14px);
    line-height: var(--ha-line-height-normal, 1.6);
    -webkit-font-smoothing: var(--ha-font-smoothing, antialiased);
  }
  :host([hidden]), [hidden] { display: none !important; }
  *, *::before, *::after { box-sizing: border-box; }

  button, input, select, textarea { font: inherit; color: inherit; }
  button { cursor: pointer; }
  button:disabled { cursor: default; }
  :focus-visible {
    outline: 2px solid var(--primary-color);
    outline-offset: -2px;
  }

  .text-button {
    border: none;
    background: none;
    padding: 8px 12px;
    border-radius: var(--ha-border-radius-pill, 9999px);
    color: var(--primary-color);
    font-weight: var(--ha-font-weight-medium, 500);
  }
  .text-button:hover { background: var(--secondary-background-color); }

  /* Only for screen readers */
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`);

/** A field with a label inside, as Home Assistant has them. */
export const fields = sheet(`
  .field {
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 40px;
    padding-inline: 12px;
    border-radius: var(--ha-border-radius-lg, 12px);
    background: var(--ha-color-form-background, var(--secondary-background-color));
    --mdc-icon-size: 20px;
  }
  .field ha-icon { flex: none; color: var(--secondary-text-color); }
  .field:focus-within { outline: 2px solid var(--primary-color); outline-offset: -2px; }
  .field :is(input, textarea) {
    flex: 1;
    min-width: 0;
    padding: 8px 0;
    border: none;
    outline: none;
    background: none;
    /* Smaller, and phones zoom in. */
    font-size: var(--ha-font-size-l, 16px);
    line-height: 1.5;
  }
  .field ::placeholder { color: var(--secondary-text-color); opacity: 1; }
  select {
    max-width: 100%;
    border: none;
    outline-offset: 0;
    background: none;
    text-overflow: ellipsis;
  }
  option, optgroup {
    background: var(--card-background-color);
    color: var(--primary-text-color);
  }
`);

/** Words in the middle of an empty space, with an icon above them. */
export const empty = sheet(`
  .empty {
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 4px;
    min-height: 100%;
    padding: 32px 24px;
    text-align: center;
    color: var(--secondary-text-color);
  }
  .empty > ha-icon { --mdc-icon-size: 48px; margin-bottom: 8px; opacity: 0.6; }
  .empty > :is(h2, h3) {
    margin: 0;
    color: var(--primary-text-color);
    font-size: var(--ha-font-size-l, 16px);
    font-weight: var(--ha-font-weight-medium, 500);
  }
  .empty > p { margin: 0 0 8px; max-width: 36ch; }
`);

/** A bar at the top, as Home Assistant's pages have it. */
export const bar = sheet(`
  .bar {
    display: flex;
    align-items: center;
    flex: none;
    height: var(--header-height, 56px);
    padding-inline: 4px;
    border-bottom: var(--app-header-border-bottom, 1px solid var(--divider-color));
    background: var(--app-header-background-color, var(--primary-color));
    color: var(--app-header-text-color, var(--text-primary-color));
  }
  .bar :is(h1, h2) {
    margin: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    font-size: var(--ha-font-size-xl, 20px);
    font-weight: var(--ha-font-weight-normal, 400);
  }
  .actions { display: flex; flex: none; }
`);
