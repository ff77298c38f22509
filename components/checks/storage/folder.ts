import { Problem, shown } from "../problems";
import { when } from "../rules";

/** Leaves most of the 1024 bytes of an object's name to the registry; the server has the same in server/internal/config/values.go. */
const mostBytes = 256;

/** What is wrong with the folder of a store of any kind: clients of stores tidy names, truncate or refuse them. */
export function folderProblems(key: string, rootDirectory = ""): Problem[] {
  const path = rootDirectory.replace(/^\/+|\/+$/g, "");
  return when(
    path.split("/").some((part) => part === "." || part === "..") || /\p{Cc}/u.test(path) || Buffer.byteLength(path) > mostBytes,
    key,
    `${shown(rootDirectory)} is not allowed; give a folder without "." and ".." in its path and without line breaks, of ${mostBytes} bytes at most`,
  );
}
