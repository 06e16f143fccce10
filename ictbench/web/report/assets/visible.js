// Characters that a browser would obey or hide, turned into something to see: control characters, marks that change
// the direction of writing, invisible ones, halves of surrogate pairs. Line breaks and tabs stay.

const OBEYED = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const KEY_NAMES = { "\x1b": "Esc", " ": "Space", "\r": "Enter", "\n": "Enter", "\t": "Tab" };

export function visible(text) {
  return String(text).replace(
    OBEYED,
    (character) => `[U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}

export function keyName(key) {
  return KEY_NAMES[key] ?? key;
}
