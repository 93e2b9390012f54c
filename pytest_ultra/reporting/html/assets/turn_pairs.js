// Two transcripts as pairs of turns: turns that are alike stand beside each other, and so does what lies between them.

const isAlike = (one, other) =>
  one.marker || other.marker ? one.marker === other.marker : JSON.stringify(one.events) === JSON.stringify(other.events);

/** Return pairs of turns, in order; a side is undefined if its transcript has nothing there. */
const pairTurns = (turns, others) => {
  let start = 0;
  while (start < turns.length && start < others.length && isAlike(turns[start], others[start])) start += 1;
  const pairs = turns.slice(0, start).map((turn, at) => [turn, others[at]]);
  const rest = [turns.slice(start), others.slice(start)];
  let [at, otherAt] = [0, 0];
  for (const [same, otherSame] of [...commonTurns(...rest), [rest[0].length, rest[1].length]]) {
    for (; at < same || otherAt < otherSame; at += 1, otherAt += 1)
      pairs.push([at < same ? rest[0][at] : undefined, otherAt < otherSame ? rest[1][otherAt] : undefined]);
    if (same < rest[0].length) pairs.push([rest[0][same], rest[1][otherSame]]);
    [at, otherAt] = [same + 1, otherSame + 1];
  }
  return pairs;
};

/** Return the places of a longest common sequence of turns with calls. */
const commonTurns = (turns, others) => {
  const isCommon = (at, otherAt) => turns[at].marker && turns[at].marker === others[otherAt].marker;
  const lengths = Array.from({ length: turns.length + 1 }, () => new Uint16Array(others.length + 1));
  for (let at = turns.length - 1; at >= 0; at -= 1)
    for (let otherAt = others.length - 1; otherAt >= 0; otherAt -= 1)
      lengths[at][otherAt] = isCommon(at, otherAt)
        ? lengths[at + 1][otherAt + 1] + 1
        : Math.max(lengths[at + 1][otherAt], lengths[at][otherAt + 1]);
  const found = [];
  let [at, otherAt] = [0, 0];
  while (at < turns.length && otherAt < others.length) {
    if (isCommon(at, otherAt)) found.push([at++, otherAt++]);
    else if (lengths[at + 1][otherAt] >= lengths[at][otherAt + 1]) at += 1;
    else otherAt += 1;
  }
  return found;
};

/** Return the index of the first pair whose calls or results differ, -1 if there is none. */
const findDifference = (pairs) => pairs.findIndex(([one, other]) => !one || !other || one.marker !== other.marker);
