// Links to other sites. Only http and https addresses become links, and the linked page does not learn of this one.

import { element } from "./dom.js";

const ADDRESS = /https?:\/\/[^\s<>"'`]+/g;
const TRAILING = /[.,;:!?)\]}\u2026]+$/;

// Return a link to an address, or the address as text where it is not one of the web.
export function outsideLink(address, text = address) {
  const isWeb = isWebAddress(address);
  return isWeb ? element("a", { href: address, rel: "nofollow noopener noreferrer" }, text) : element("span", {}, text);
}

// Return a text whose addresses are links, as a list of nodes and texts.
export function linkedText(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = found.replace(TRAILING, "");
    parts.push(text.slice(end, index), outsideLink(address));
    end = index + address.length;
  }
  return [...parts, text.slice(end)];
}

function isWebAddress(address) {
  if (!/^https?:\/\//.test(address) || /[\s\p{C}]/u.test(address) || !URL.canParse(address)) return false;
  const { username, password } = new URL(address);
  return !username && !password;
}
