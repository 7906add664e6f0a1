/** Words, times and numbers as the user has set them in Home Assistant. */

/** What the keys of all texts begin with. */
export const PREFIX = "component.openvox_gsm.config_panel.";
const DAY_MS = 86_400_000;

/** A language that writes numbers as the setting of this name says. */
const NUMBER_LANGUAGES = {
  comma_decimal: "en-US",
  decimal_comma: "de",
  space_comma: "fr",
  quote_decimal: "de-CH",
};

let loading = {};

/**
 * Load the texts of the user's language; `hass.localize` has them then.
 *
 * All ask for them here, as Home Assistant answers a second request at once, even if the
 * texts aren't there yet.
 */
export function loadTexts(hass) {
  if (loading.language !== hass.language) {
    loading = { language: hass.language, texts: load(hass) };
  }
  return loading.texts;
}

async function load(hass) {
  for (;;) {
    try {
      return await hass.loadBackendTranslation("config_panel", "openvox_gsm");
    } catch {
      await reconnected(hass.connection);
    }
  }
}

function reconnected(connection) {
  return new Promise((resolve) => {
    const done = () => {
      connection.removeEventListener("ready", done);
      resolve();
    };
    connection.addEventListener("ready", done);
  });
}

export class Words {
  #formats = new Map();

  /** Load the words of the user's language. */
  static async load(hass) {
    return new Words(hass, (await loadTexts(hass)) ?? hass.localize);
  }

  constructor(hass, localize) {
    /** Home Assistant's function for texts; it has a new one after each it loads. */
    this.localize = localize;
    this.language = hass.language;
    this.locale = hass.locale ?? {};
    this.timeZone = this.locale.time_zone === "server" ? hass.config.time_zone : undefined;
  }

  /** Whether these are still the words and formats of a user. */
  fit(hass) {
    return this.language === hass.language && this.locale === hass.locale;
  }

  say(key, values) {
    return this.localize(PREFIX + key, values);
  }

  /** One of Home Assistant's own words. */
  common(key) {
    return this.localize(`ui.common.${key}`);
  }

  /** Why Home Assistant refuses an action, in the user's language where it's translated. */
  async refusal(hass, { message, ...error }) {
    const { translation_domain: domain, translation_key: key } = error;
    if (!key) return message;
    // It answers at once if the page asked before, perhaps without the texts.
    const localize = await hass.loadBackendTranslation("exceptions", domain).catch(() => null);
    const path = `component.${domain}.exceptions.${key}.message`;
    return localize?.(path, error.translation_placeholders) || message;
  }

  // Times

  time(date) {
    const hourCycle = this.#hourCycle();
    const hour = hourCycle === "h23" ? "2-digit" : "numeric";
    return this.#format({ hour, minute: "2-digit", hourCycle }).format(date);
  }

  dateAndTime(date) {
    const hourCycle = this.#hourCycle();
    return this.#format({ dateStyle: "long", timeStyle: "short", hourCycle }).format(date);
  }

  /** A day as a heading: today, yesterday, or its date. */
  day(date) {
    const ago = this.#daysAgo(date);
    if (ago === 0 || ago === 1) {
      const relative = new Intl.RelativeTimeFormat(this.language, { numeric: "auto" });
      return this.#capitalize(relative.format(-ago, "day"));
    }
    const options = { weekday: "long", day: "numeric", month: "long" };
    if (!this.#isThisYear(date)) options.year = "numeric";
    return this.#capitalize(this.#format(options).format(date));
  }

  /** When something was, as short as a list needs it. */
  short(date) {
    const ago = this.#daysAgo(date);
    if (ago <= 0) return this.time(date);
    if (ago < 7) return this.#format({ weekday: "short" }).format(date);
    if (this.#isThisYear(date)) {
      return this.#format({ day: "numeric", month: "short" }).format(date);
    }
    return this.#format({ dateStyle: "short" }).format(date);
  }

  /** The day of a time as 2026-11-28, to compare it with others. */
  dayKey(date) {
    const options = { year: "numeric", month: "2-digit", day: "2-digit" };
    return this.#format(options, "en-CA").format(date);
  }

  /** Seconds as minutes and seconds. */
  duration(seconds) {
    const rest = String(Math.floor(seconds % 60)).padStart(2, "0");
    return `${Math.floor(seconds / 60)}:${rest}`;
  }

  // Numbers

  number(value) {
    const setting = this.locale.number_format;
    const language = setting === "system" ? undefined : this.language;
    return new Intl.NumberFormat(NUMBER_LANGUAGES[setting] ?? language, {
      useGrouping: setting !== "none",
    }).format(value);
  }

  // Means

  #isThisYear(date) {
    return this.dayKey(date).slice(0, 4) === this.dayKey(new Date()).slice(0, 4);
  }

  #daysAgo(date) {
    const day = (each) => Date.parse(this.dayKey(each));
    return Math.round((day(new Date()) - day(date)) / DAY_MS);
  }

  #capitalize(text) {
    const [first = "", ...rest] = text;
    return first.toLocaleUpperCase(this.language) + rest.join("");
  }

  #hourCycle() {
    const setting = this.locale.time_format;
    if (setting === "12") return "h12";
    if (setting === "24") return "h23";
    const language = setting === "system" ? undefined : this.language;
    return new Intl.DateTimeFormat(language, { hour: "numeric" }).resolvedOptions().hourCycle;
  }

  #format(options, language = this.language) {
    const key = language + JSON.stringify(options);
    if (!this.#formats.has(key)) {
      const { timeZone } = this;
      this.#formats.set(key, new Intl.DateTimeFormat(language, { ...options, timeZone }));
    }
    return this.#formats.get(key);
  }
}
