/**
 * `protect` or `retainOnDelete` of a resource that holds images: locked without `lab`. With `lab` it is undefined, and not `false`:
 * a lock that the user's options put on the component then passes on to its parts, where a `false` would open it.
 */
export function lock(lab: boolean): true | undefined {
  return lab ? undefined : true;
}

/** Options of a resource that nobody wants back: it is deleted even if the user's options retain the component's parts. */
export const goes = { retainOnDelete: false };

/**
 * Options of a resource that holds none of the user's images and has a name that can't be given twice: it is deleted before its
 * replacement is made, because it would be in the way.
 */
export const givesWay = { deleteBeforeReplace: true, ...goes };
