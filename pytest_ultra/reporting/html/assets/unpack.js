// The data in the page: gzipped JSON in base64, unpacked on first use.

const canUnpack = typeof DecompressionStream === "function";

const unpack = async (text) => {
  const bytes = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
};

const unpackedChunks = new Map();

/** Return the episodes of a chunk; recently used chunks stay in memory. */
const unpackChunk = async (number) => {
  if (!unpackedChunks.has(number)) {
    if (unpackedChunks.size > 4) unpackedChunks.delete(unpackedChunks.keys().next().value);
    unpackedChunks.set(number, unpack(document.querySelectorAll("script.chunk")[number].textContent));
  }
  return unpackedChunks.get(number);
};
