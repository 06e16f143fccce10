// Visible replacements for characters that a browser would interpret or hide: control characters, marks that change
// the writing direction, invisible characters, unpaired surrogates. Line breaks and tabs are kept.

const UNSAFE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const KEY_NAMES = { "\x1b": "Esc", " ": "Space", "\r": "Enter", "\n": "Enter", "\t": "Tab" };

export function visible(text) {
  return String(text).replace(
    UNSAFE,
    (character) => `[U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}

export function keyName(key) {
  return KEY_NAMES[key] ?? key;
}
