// A request as a shell command.

import { jsonPieces } from "./label_studio.js";

/** A curl command that sends `body`; a picture that came from a file is read from there, any other goes along. */
export function curlCommand(body, picture) {
  const [before, uri, after] = jsonPieces(body, 1);
  const [kind] = uri.split(",", 1);
  const image = picture.isFile ? `${kind},$(base64 < ${shellQuoted(picture.name)} | tr -d '\\n')` : uri;
  const address = new URL("predict", document.baseURI).href;
  return [
    `curl -s ${shellQuoted(address)} -H 'Content-Type: application/json' -d @- <<EOF`,
    hereDocument(before) + image + hereDocument(after),
    "EOF",
    "",
  ].join("\n");
}

function shellQuoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function hereDocument(text) {
  return text.replace(/[\\$`]/g, "\\$&");
}
