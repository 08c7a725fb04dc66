// Text to the clipboard, on pages without https too.

/** Whether the text could be copied. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text); // there only with https or on this machine
    return true;
  } catch {
    return copySelection(text);
  }
}

function copySelection(text) {
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "off-screen" });
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
