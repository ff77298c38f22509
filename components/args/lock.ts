/**
 * `protect` or `retainOnDelete` of what holds images, locked without `lab`. With it there is no lock of the package's own, and one
 * that the user's options put on the component goes on to its parts, where a `false` would open it.
 */
export function lock(lab: boolean): true | undefined {
  return lab ? undefined : true;
}

/** Options of what nobody wants back: it does not stay where the user's options keep the component's parts. */
export const goes = { retainOnDelete: false };

/**
 * Options of what has a name that can't be given twice, and holds no images of the user's: it goes before another comes in its place,
 * in whose way it would be.
 */
export const givesWay = { deleteBeforeReplace: true, ...goes };
