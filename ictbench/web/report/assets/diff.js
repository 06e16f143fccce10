// Two texts as a list of what stayed, went and came: by line, and by word within lines that were rewritten.

const MOST_CELLS = 4_000_000;

// Answers [{ kind: "same" | "removed" | "added", parts: [{ text, changed }] }], a row a line.
export function diffLines(before, after) {
  const rows = compare(before.split("\n"), after.split("\n"));
  const found = [];
  for (let start = 0; start < rows.length;) {
    const removed = run(rows, start, "removed");
    const added = run(rows, start + removed.length, "added");
    if (removed.length && removed.length === added.length) {
      const pairs = removed.map((row, index) => rewritten(row.item, added[index].item));
      found.push(...pairs.map(([old]) => old), ...pairs.map(([, renewed]) => renewed));
    } else {
      found.push(
        ...[...removed, ...added].map(({ kind, item }) => ({ kind, parts: [{ text: item, changed: false }] })),
      );
    }
    start += removed.length + added.length;
    if (start < rows.length && rows[start].kind === "same") {
      found.push({ kind: "same", parts: [{ text: rows[start].item, changed: false }] });
      start += 1;
    }
  }
  return found;
}

function run(rows, start, kind) {
  let end = start;
  while (end < rows.length && rows[end].kind === kind) end += 1;
  return rows.slice(start, end);
}

function rewritten(before, after) {
  const rows = compare(before.split(/(\s+)/), after.split(/(\s+)/));
  const side = (kind) => ({
    kind,
    parts: rows
      .filter((row) => row.kind === "same" || row.kind === kind)
      .map((row) => ({ text: row.item, changed: row.kind === kind })),
  });
  return [side("removed"), side("added")];
}

// Longest common subsequence, what both ends share taken off first. Where the rest is too long to compare, all of it
// counts as replaced.
function compare(before, after) {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end))
    end += 1;
  const [old, renewed] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  const middle = old.length * renewed.length > MOST_CELLS ? replaced(old, renewed) : common(old, renewed);
  const same = (item) => ({ kind: "same", item });
  return [...before.slice(0, start).map(same), ...middle, ...before.slice(before.length - end).map(same)];
}

function replaced(before, after) {
  return [...before.map((item) => ({ kind: "removed", item })), ...after.map((item) => ({ kind: "added", item }))];
}

function common(before, after) {
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
  return [...rows, ...replaced(before.slice(i), after.slice(j))];
}
