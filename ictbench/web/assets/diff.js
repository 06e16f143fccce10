// Difference of two texts: by line, and by word within rewritten lines.

const MAX_CELLS = 4_000_000;

// Return one row per line: [{ kind: "same" | "removed" | "added", parts: [{ text, changed }] }].
export function diffLines(before, after) {
  const lines = compare(before.split("\n"), after.split("\n"));
  const rows = [];
  for (let start = 0; start < lines.length;) {
    const removed = streak(lines, start, "removed");
    const added = streak(lines, start + removed.length, "added");
    if (removed.length && removed.length === added.length) {
      const pairs = removed.map((line, index) => diffWords(line.item, added[index].item));
      rows.push(...pairs.map(([oldRow]) => oldRow), ...pairs.map(([, newRow]) => newRow));
    } else {
      rows.push(...[...removed, ...added].map(wholeLine));
    }
    start += removed.length + added.length;
    if (start < lines.length && lines[start].kind === "same") {
      rows.push(wholeLine(lines[start]));
      start += 1;
    }
  }
  return rows;
}

function wholeLine({ kind, item }) {
  return { kind, parts: [{ text: item, changed: false }] };
}

// Return the consecutive lines of one kind from `start` on.
function streak(lines, start, kind) {
  let end = start;
  while (end < lines.length && lines[end].kind === kind) end += 1;
  return lines.slice(start, end);
}

function diffWords(before, after) {
  const words = compare(before.split(/(\s+)/), after.split(/(\s+)/));
  const side = (kind) => ({
    kind,
    parts: words
      .filter((word) => word.kind === "same" || word.kind === kind)
      .map((word) => ({ text: word.item, changed: word.kind === kind })),
  });
  return [side("removed"), side("added")];
}

// Compare two lists by their longest common subsequence, after taking off what both ends share. Lists that are too long
// to compare count as replaced.
function compare(before, after) {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end))
    end += 1;
  const [removed, added] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  const middle = removed.length * added.length > MAX_CELLS ? replacement(removed, added) : alignment(removed, added);
  const same = (item) => ({ kind: "same", item });
  return [...before.slice(0, start).map(same), ...middle, ...before.slice(before.length - end).map(same)];
}

function replacement(before, after) {
  return [...before.map((item) => ({ kind: "removed", item })), ...after.map((item) => ({ kind: "added", item }))];
}

function alignment(before, after) {
  const width = after.length + 1;
  const length = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      length[i * width + j] =
        before[i] === after[j]
          ? length[(i + 1) * width + j + 1] + 1
          : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  const rows = [];
  let [i, j] = [0, 0];
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) rows.push({ kind: "same", item: before[((j += 1), i++)] });
    else if (length[(i + 1) * width + j] >= length[i * width + j + 1])
      rows.push({ kind: "removed", item: before[i++] });
    else rows.push({ kind: "added", item: after[j++] });
  }
  return [...rows, ...replacement(before.slice(i), after.slice(j))];
}
