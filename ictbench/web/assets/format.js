// Formatting of numbers. A missing number is a dash.

export const MISSING = "\u2013";

// Return a number with so many decimals, rounded as Python rounds it for tables on the terminal and in files: of two
// decimals that are equally near, the even one. `toFixed` takes the larger one: 0.63 for 0.625.
export function fixed(value, digits) {
  const exact = value.toFixed(100);
  const end = exact.length - 100 + digits;
  const down = exact.slice(0, end).replace(/\.$/, "");
  const isTie = /^50*$/.test(exact.slice(end));
  return isTie && "02468".includes(down.at(-1)) ? down : value.toFixed(digits);
}

export function number(value, digits = 2) {
  return isNumber(value) ? unsignedZero(fixed(value, digits)) : MISSING;
}

// Return a difference with its sign; one that rounds to zero has none.
export function signed(value, digits = 2) {
  if (!isNumber(value)) return MISSING;
  const size = fixed(Math.abs(value), digits);
  if (Number(size) === 0) return size;
  return `${value < 0 ? "\u2212" : "+"}${size}`;
}

export function percent(value) {
  return isNumber(value) ? `${fixed(100 * value, 1)} %` : MISSING;
}

export function count(value) {
  return isNumber(value) ? value.toLocaleString("en-US") : MISSING;
}

// Return a count with its noun: "1 decision", "25 decisions".
export function counted(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

export function money(value) {
  if (!isNumber(value)) return "unknown";
  return value > 0 && value < 0.0001 ? "<$0.0001" : `$${fixed(value, value < 1 ? 4 : 2)}`;
}

export function duration(seconds) {
  if (!isNumber(seconds)) return MISSING;
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export function pValue(value) {
  return value < 0.001 ? value.toExponential(0) : number(value, 3);
}

// Return an estimate { value, low, high } as text, with its interval if it has one.
export function estimate(measure, format = number) {
  if (!measure) return MISSING;
  const interval = isNumber(measure.low) ? ` [${format(measure.low)}, ${format(measure.high)}]` : "";
  return format(measure.value) + interval;
}

// Return a field name as words: "last_gain" becomes "last gain".
export function words(name) {
  return name.replaceAll("_", " ");
}

// Return [0, 1, …, length - 1].
export function range(length) {
  return Array.from({ length }, (_, index) => index);
}

// Return the share of ones in a string of outcomes.
export function successRate(outcomes) {
  return solvedCount(outcomes) / outcomes.length;
}

export function solvedCount(outcomes) {
  return [...outcomes].filter((outcome) => outcome === "1").length;
}

function unsignedZero(text) {
  return Number(text) === 0 ? text.replace("-", "") : text;
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}
