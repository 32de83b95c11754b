/**
 * True when the text is an image tag: a letter, digit or underscore, then up to 127 of letters, digits and `_.-`
 * (distribution reference grammar; anchors/action.md §3.4).
 */
export function isTag(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text);
}
