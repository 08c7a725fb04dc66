// A picture that a person chose: its pixels to show, its file to send.

/** Opens a file; `isFile` says that the person has it on disk under its name. Throws an Error that says what is wrong. */
export async function openPicture(file, isFile = true) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" }); // as the editor: EXIF applied
  } catch {
    const kind = file.type ? `${file.type} that` : "kind of file that";
    throw new Error(`${file.name || "This"} cannot be shown: it is of a ${kind} this browser does not decode, or damaged.`);
  }
  const { width, height } = bitmap;
  return { name: file.name, isFile, bytes: file.size, bitmap, width, height, dataUri: await dataUri(file) };
}

/** The picture among dropped or pasted things, if there is one. */
export function pictureIn(transfer) {
  return [...(transfer?.files ?? [])].find(({ type }) => type.startsWith("image/")) ?? transfer?.files?.[0];
}

function dataUri(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error(`${file.name} cannot be read.`));
    reader.readAsDataURL(file);
  });
}
