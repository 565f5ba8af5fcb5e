// See layout.py.
({
  /** Texts over each other, and texts beyond the window's edge. */
  faults() {
    const boxes = textBoxes().sort((a, b) => a.top - b.top);
    const faults = boxes
      .filter((box) => box.left < -1 || box.right > innerWidth + 1)
      .map((box) => `outside the window: ${said(box)}`);
    boxes.forEach((one, i) => {
      for (let j = i + 1; j < boxes.length && boxes[j].top < one.bottom; j += 1) {
        const other = boxes[j];
        const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const down = Math.min(one.bottom, other.bottom) - other.top;
        const height = Math.min(one.bottom - one.top, other.bottom - other.top);
        if (one.node !== other.node && across > 3 && down > 0.35 * height) faults.push(`${said(one)} over ${said(other)}`);
      }
    });
    const over = document.documentElement.scrollWidth - innerWidth;
    if (over > 0) faults.push(`the page is ${over} pixels wider than the window`);
    return faults.slice(0, 8);

    function said({ node }) {
      return JSON.stringify(node.data.trim().slice(0, 30));
    }

    function textBoxes() {
      const found = [];
      const walker = document.createTreeWalker(document.querySelector("#app"), NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || element.closest(".hidden, .skip, option, [aria-hidden=true]")) continue;
        if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        const clip = clipOf(element);
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const rect of range.getClientRects()) {
          const [left, top] = [Math.max(rect.left, clip.left), Math.max(rect.top, clip.top)];
          const [right, bottom] = [Math.min(rect.right, clip.right), Math.min(rect.bottom, clip.bottom)];
          if (right - left > 1 && bottom - top > 1) found.push({ left, top, right, bottom, node });
        }
      }
      return found;
    }

    /** What scrolls or is cut off on purpose shows no more than this. */
    function clipOf(element) {
      const clip = { left: -Infinity, right: Infinity, top: -Infinity, bottom: Infinity };
      for (let at = element; at && at !== document.body; at = at.parentElement) {
        const { overflowX, display } = getComputedStyle(at);
        if (overflowX === "visible" || display === "inline") continue;
        const rect = at.getBoundingClientRect();
        for (const side of ["left", "top"]) clip[side] = Math.max(clip[side], rect[side]);
        for (const side of ["right", "bottom"]) clip[side] = Math.min(clip[side], rect[side]);
      }
      return clip;
    }
  },

  /** Of the graph's canvas: the share that is drawn on, and from where to where, without the names around it. */
  painted() {
    const [LEFT, BOTTOM] = [64, 40];
    const canvas = document.querySelector(".graph canvas");
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height - BOTTOM);
    const ground = [...data.slice(0, 3)];
    let [n, left, right] = [0, width, 0];
    for (let i = 0; i < data.length; i += 4) {
      const x = (i / 4) % width;
      if (x < LEFT || ground.every((value, k) => Math.abs(value - data[i + k]) < 24)) continue;
      [n, left, right] = [n + 1, Math.min(left, x), Math.max(right, x)];
    }
    return [n / (width * height), left / width, right / width];
  },
})
