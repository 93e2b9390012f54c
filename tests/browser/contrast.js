// Return the visible texts whose contrast with their background is below WCAG level AA: 4.5, or 3 for large text.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, under) => top.slice(0, 3).map((value, at) => (value * top[3] + under[at] * (255 - top[3])) / 255);
  const background = (element) => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) layers.push(rgba(getComputedStyle(node).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const luminance = (color) => {
    const [red, green, blue] = color.map((value) =>
      value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const violations = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest("script, style, option, .unseen, .skip")) continue;
    const style = getComputedStyle(element);
    const under = background(element);
    const color = over(rgba(element.namespaceURI.endsWith("svg") ? style.fill : style.color), under);
    const [low, high] = [luminance(color), luminance(under)].sort((one, other) => one - other);
    const isLarge =
      parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = (high + 0.05) / (low + 0.05);
    seen += 1;
    if (ratio < (isLarge ? 3 : 4.5))
      violations.add(`${ratio.toFixed(2)}: ${element.className || element.tagName}: ${text.slice(0, 40)}`);
  }
  return seen > 20 ? [...violations] : ["too few texts were found"];
};
