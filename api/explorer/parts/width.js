/** How wide the place is that a drawing is made for. */

import { useLayoutEffect, useRef, useState } from "../html.js";

/** @param {number} first until it is known @returns {[{current: any}, number]} a ref for the element, and its width */
export function useWidth(first) {
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(first);
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const look = () => setWidth(Math.floor(element.clientWidth) || first);
    const observer = new ResizeObserver(look);
    observer.observe(element);
    look();
    return () => observer.disconnect();
  }, []);
  return [frame, width];
}
